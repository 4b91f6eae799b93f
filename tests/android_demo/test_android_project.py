"""The Android app's two builds agree, and what Python does for it is right; the Kotlin itself is tested by Maven."""

import re
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.measure.measurement import Measurement, read_rows

ANDROID = Path(__file__).parents[2] / "android_demo"
POM = "{http://maven.apache.org/POM/4.0.0}"
XML = "{http://schemas.android.com/apk/res/android}"
CATALOG = tomllib.loads((ANDROID / "gradle/libs.versions.toml").read_text())


def properties() -> dict[str, str]:
    return {entry.tag.removeprefix(POM): entry.text for entry in ET.parse(ANDROID / "pom.xml").find(f"{POM}properties")}


def artifacts(pom: str) -> set[str]:
    tree = ET.parse(ANDROID / pom)
    return {entry.find(f"{POM}artifactId").text for entry in tree.iter(f"{POM}dependency")}


def test_maven_and_gradle_have_the_same_versions():
    maven, gradle = properties(), CATALOG["versions"]
    pairs = {
        "kotlin.version": "kotlin",
        "serialization.version": "kotlinx-serialization",
        "coroutines.version": "kotlinx-coroutines",
        "onnxruntime.version": "onnxruntime",
        "junit.version": "junit",
        "robolectric.version": "robolectric",
    }
    assert {name: maven[name] for name in pairs} == {name: gradle[key] for name, key in pairs.items()}
    # Exact versions only, in both.
    exact = re.compile(r"\d+(\.\d+)*(-[\w.-]+)?")
    assert all(exact.fullmatch(version) for version in gradle.values())


@pytest.mark.parametrize(("module", "least"), [("core", 15), ("library", 6), ("app", 15)])
def test_maven_and_gradle_build_the_same_folders(module, least):
    build = ET.parse(ANDROID / module / "pom.xml").find(f"{POM}build")
    sources = build.find(f"{POM}sourceDirectory").text, build.find(f"{POM}testSourceDirectory").text
    assert sources == ("src/main/kotlin", "src/test/kotlin")  # which Gradle takes without being told
    script = (ANDROID / module / "build.gradle.kts").read_text()
    assert "sourceSets" not in script and "srcDir" not in script
    assert f'":{module}"' in (ANDROID / "settings.gradle.kts").read_text()
    others = [path for path in (ANDROID / module / "src").rglob("*") if path.suffix in (".kt", ".java")]
    assert len(others) > least and all("kotlin" in path.parts for path in others)


def test_maven_and_gradle_need_the_same_libraries():
    libraries = {entry["module"].split(":")[1] for entry in CATALOG["libraries"].values()}
    proof_only = {"kotlin-stdlib", "core", "library", "tflite_classes", "litert_standin", "androidx_test_shim"}
    phone_only = {"onnxruntime-android", "litert", "litert-gpu"}
    modules = ("core", "library", "app")
    maven = set().union(*(artifacts(f"{module}/pom.xml") for module in modules))
    assert maven - proof_only - {"android-all"} == libraries - phone_only
    used = "".join((ANDROID / module / "build.gradle.kts").read_text() for module in modules)
    assert all(f"libs.{name.replace('-', '.')}" in used for name in CATALOG["libraries"])


def test_the_app_names_the_version_of_litert_that_gradle_brings():
    """CompiledModel does not tell its own, and rows must."""
    runtimes = (ANDROID / "library/src/main/kotlin/org/lariqa/Runtimes.kt").read_text()
    assert f'LITERT = "{CATALOG["versions"]["litert"]}"' in runtimes


def test_the_readme_shows_the_lines_that_the_tests_run():
    source = (ANDROID / "app/src/test/kotlin/org/lariqa/demo/TwentyLines.kt").read_text()
    lines = source[source.index("suspend fun") :]
    assert lines in (ANDROID / "README.md").read_text() and lines.count("\n") <= 20


def test_the_resources_are_linked_for_the_phones_that_gradle_builds_for():
    script = (ANDROID / "proof/link_resources.sh").read_text()
    assert f"--min-sdk-version {CATALOG['versions']['minSdk']}" in script
    assert f"--target-sdk-version {CATALOG['versions']['targetSdk']}" in script


def test_the_app_asks_for_the_camera_and_for_nothing_else():
    manifest = ET.parse(ANDROID / "app/src/main/AndroidManifest.xml").getroot()
    assert [entry.get(f"{XML}name") for entry in manifest.iter("uses-permission")] == ["android.permission.CAMERA"]


def test_every_language_has_every_string():
    def strings(folder: str) -> dict[str, str]:
        files = (ANDROID / f"app/src/main/res/{folder}").glob("*.xml")
        return {entry.get("name"): entry.text for file in files for entry in ET.parse(file).iter("string")}

    english, german = strings("values"), strings("values-de")
    assert english.keys() == german.keys() and len(english) > 60
    facts = re.compile(r"%\d\$s")
    odd = {name for name in english if sorted(facts.findall(english[name])) != sorted(facts.findall(german[name]))}
    assert odd == set()


def test_no_weights_and_no_addresses_in_the_app():
    files = [path for path in ANDROID.rglob("*") if path.is_file() and not {"build", "target"} & {*path.parts}]
    binaries = {".onnx", ".tflite", ".jar", ".aar", ".apk", ".dex"}
    assert not [path for path in files if path.suffix in binaries and "assets" not in path.parts]
    texts = [path for path in files if path.suffix in (".kts", ".toml", ".xml", ".properties", ".sh", ".kt", ".java")]
    namespaces = ("http://schemas.android.com/", "http://maven.apache.org/POM/")
    odd = {
        (path.name, address)
        for path in texts
        for address in re.findall(r"https?://\S+", path.read_text())
        if not address.startswith(namespaces)
    }
    assert odd == set()


def the_row_in(name: str) -> Measurement:
    rows = ANDROID / "core/target" / name
    if not rows.exists():
        pytest.skip(f"{rows} is not there: `make test-android`, which runs this again, writes it")
    (row,) = read_rows(rows.read_text(), str(rows))
    return row


def test_rows_of_the_app_are_rows():
    row = the_row_in("rows.jsonl")
    assert row.machine.kind == "phone" and row.error is None
    assert row.subject.memory == "balanced"
    assert len(row.latency.inference_ms) == len(row.latency.total_ms) == 20
    assert {score.photo for score in row.scores} == {"original.png", "noisy.png", "golden.png"}


def test_a_row_about_a_file_for_any_size_gives_no_size():
    row = the_row_in("rows_any_size.jsonl")
    assert (row.subject.input, row.subject.photo_width_px, row.subject.photo_height_px) == ("views", None, None)
    assert len(row.latency.preprocess_ms) == len({score.photo for score in row.scores} - {"golden.png"}) >= 8


def test_an_audition_of_the_app_is_rows():
    path = ANDROID / "core/target/rows_audition.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is not there: `make test-android`, which runs this again, writes it")
    cpu, without, gpu = read_rows(path.read_text(), str(path))
    assert cpu.report == without.report == gpu.report != ""
    assert without.setting.session_options == {"mlas.disable_kleidiai": "1"}
    assert cpu.latency.first_ms == 500 and len(cpu.latency.inference_ms) == 3 and cpu.latency.decode_ms == []
    assert [row.error is None for row in (cpu, without, gpu)] == [True, True, False]
    assert any("with KleidiAI" in flag for flag in cpu.flags)
