"""The iOS app as a project: what Xcode reads is valid and agrees with itself; an export gets in whole or not at all.

The Swift code itself is compiled and tested by `make test-ios`.
"""

import json
import plistlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import lariqa

HOUSE = Path(__file__).parents[2]
IOS = HOUSE / "ios_demo"
APP = IOS / "App"
PACKAGE = HOUSE / "Package.swift"  # at the root, so that any app can add this repository by its URL
EXAMPLE = IOS / "Example"
SOURCES = [*IOS.glob("Sources/**/*.swift"), *APP.glob("Sources/*.swift")]


@pytest.fixture(scope="module")
def info():
    return plistlib.loads((APP / "Resources/Info.plist").read_bytes())


@pytest.fixture(scope="module")
def project():
    return yaml.safe_load((APP / "project.yml").read_text())


def test_info_plist_asks_for_the_camera_and_nothing_else(info):
    asked = [key for key in info if key.endswith("UsageDescription")]
    assert asked == ["NSCameraUsageDescription"] and info[asked[0]].endswith(".")
    assert "NSAppTransportSecurity" not in info and "UIBackgroundModes" not in info
    used = "".join(file.read_text() for file in SOURCES)
    assert "AVCaptureDevice" in used and "CLLocation" not in used and "PHPhotoLibrary" not in used


def test_info_plist_offers_the_app_in_the_share_sheet_for_photos(info):
    (kind,) = info["CFBundleDocumentTypes"]
    assert kind["LSItemContentTypes"] == ["public.image"] and info["LSSupportsOpeningDocumentsInPlace"]
    assert ".onOpenURL" in (IOS / "Sources/LarIqaScreens/RootView.swift").read_text()


def test_info_plist_variables_are_ones_that_xcode_or_the_project_sets(info, project):
    text = (APP / "Resources/Info.plist").read_text()
    settings = {**project["settings"]["base"], **project["targets"]["LarIqaDemo"]["settings"]["base"]}
    given_by_xcode = {"EXECUTABLE_NAME", "PRODUCT_NAME"}
    assert set(re.findall(r"\$\((\w+)\)", text)) <= set(settings) | given_by_xcode
    assert {"CFBundleIdentifier", "CFBundleShortVersionString", "CFBundleVersion", "UILaunchScreen"} <= set(info)


# Apple's list of APIs that need a reason in the privacy manifest, by the words that give them away.
REASON_APIS = {
    "NSPrivacyAccessedAPICategoryFileTimestamp": r"creationDate|odificationDate|attributesOfItem",
    "NSPrivacyAccessedAPICategorySystemBootTime": r"systemUptime|mach_absolute_time",
    "NSPrivacyAccessedAPICategoryDiskSpace": r"volumeAvailableCapacity|systemFreeSize|statfs|statvfs",
    "NSPrivacyAccessedAPICategoryActiveKeyboards": r"activeInputModes",
    "NSPrivacyAccessedAPICategoryUserDefaults": r"UserDefaults|AppStorage",
}


def test_privacy_manifest_collects_nothing_and_names_every_api_that_needs_a_reason():
    privacy = plistlib.loads((APP / "Resources/PrivacyInfo.xcprivacy").read_bytes())
    assert privacy["NSPrivacyTracking"] is False
    assert privacy["NSPrivacyTrackingDomains"] == privacy["NSPrivacyCollectedDataTypes"] == []
    used = "".join(file.read_text() for file in SOURCES)
    needed = {category for category, words in REASON_APIS.items() if re.search(words, used)}
    assert {row["NSPrivacyAccessedAPIType"] for row in privacy["NSPrivacyAccessedAPITypes"]} == needed
    assert all(row["NSPrivacyAccessedAPITypeReasons"] for row in privacy["NSPrivacyAccessedAPITypes"])


def test_asset_catalogue_is_json_with_a_dark_accent_colour():
    files = list(APP.glob("Resources/Assets.xcassets/**/Contents.json"))
    assert len(files) == 3 and all(json.loads(file.read_text())["info"]["author"] == "xcode" for file in files)
    colours = json.loads((APP / "Resources/Assets.xcassets/AccentColor.colorset/Contents.json").read_text())["colors"]
    assert [colour.get("appearances", [{}])[0].get("value") for colour in colours] == [None, "dark"]


def test_project_description_names_files_and_products_that_exist(project):
    target = project["targets"]["LarIqaDemo"]
    for source in target["sources"]:
        assert source["path"] == "Model" or (APP / source["path"]).is_dir(), source
    assert (APP / project["packages"]["LarIqaKit"]["path"]).resolve() == HOUSE
    others = PACKAGE.read_text().split("#else")[1]
    products = set(re.findall(r'\.library\(name: "(\w+)"', others))
    assert products == {"LarIqaKit", "LarIqaScreens"}
    assert {row["product"] for row in target["dependencies"]} == products
    assert (APP / target["settings"]["base"]["INFOPLIST_FILE"]).is_file()


def test_project_package_and_toolkit_agree_on_versions(project):
    package = PACKAGE.read_text()
    (major,) = re.findall(r"\.iOS\(\.v(\d+)\)", package)
    assert float(project["options"]["deploymentTarget"]["iOS"]) == float(major)
    assert project["settings"]["base"]["SWIFT_VERSION"] == "6.0" and "swiftLanguageModes: [.v6]" in package
    version = lariqa.__version__
    assert project["settings"]["base"]["MARKETING_VERSION"] == version
    assert project["schemes"]["LarIqaDemo"]["run"]["config"] == "Release"


def test_the_model_and_the_generated_project_are_not_in_git():
    for path in ("ios_demo/App/Model/lariqa.json", "ios_demo/App/LarIqaDemo.xcodeproj/project.pbxproj", ".swift/root"):
        if shutil.which("git") and (HOUSE / ".git").exists():
            assert subprocess.run(["git", "check-ignore", "-q", path], cwd=HOUSE).returncode == 0, path


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_no_line_ends_the_app_or_talks_to_a_network(file):
    code = re.sub(r"//.*", "", file.read_text())
    assert not re.search(r"\b(fatalError|preconditionFailure|assertionFailure|try!|as!)", code)
    assert not re.search(r"\bURLSession\b|\bNWConnection\b|import Network\b|https?://", code)


def test_the_kit_needs_foundation_only():
    imported = {name for file in IOS.glob("Sources/LarIqaKit/**/*.swift") for name in imports(file)}
    assert imported == {"Foundation", "CryptoKit"}  # CryptoKit where there is one


def test_stand_ins_are_used_on_linux_alone_and_none_is_left_over():
    package = PACKAGE.read_text()
    linux, others = package.split("#if os(Linux)")[1].split("#else")
    stubs = {folder.name for folder in (IOS / "Stubs").iterdir()}
    assert set(re.findall(r'stub\("(\w+)"', linux)) == stubs
    assert "stub(" not in others.split("#endif")[1] and "Stubs/" not in others
    assert stubs <= {name for file in SOURCES for name in imports(file)} | {"CoreVideo", "CoreGraphics"}


def test_scripts_and_swift_files_hold_no_address_of_a_registry():
    for file in [*IOS.rglob("*.sh"), *SOURCES, PACKAGE, EXAMPLE / "Package.swift", IOS / "README.md"]:
        assert not re.search(r"https?://(?!developer\.apple\.com)", file.read_text()), file


def test_an_app_that_adds_the_package_gets_no_flag_that_swiftpm_refuses():
    linux, others = PACKAGE.read_text().split("#if os(Linux)")[1].split("#else")
    assert "unsafeFlags" in linux and "unsafeFlags" not in others
    assert '.library(name: "LarIqaKit", targets: ["LarIqaKit", "LarIqaApple"])' in others
    for path in re.findall(r'path: "(ios_demo/[^"\\]+)"', linux):
        assert (HOUSE / path).exists(), path


def test_the_readme_shows_the_twenty_lines_that_the_example_compiles():
    (shown,) = re.findall(r"```swift\n(.*?)```", (IOS / "README.md").read_text(), re.DOTALL)
    assert shown == (EXAMPLE / "Sources/Example/Rank.swift").read_text()
    assert len(shown.splitlines()) <= 20
    main = (EXAMPLE / "Sources/Example/main.swift").read_text()
    assert "rank(" in main and "StandIns" in main.split("#if os(Linux)")[1].split("#endif")[0]


def test_the_sample_app_scores_by_the_library_alone():
    screens = "".join(file.read_text() for file in (IOS / "Sources/LarIqaScreens").glob("*.swift"))
    assert "LarIqa(" in screens and "iqa.score(" in screens
    assert "ScoringSession" not in screens and "ModelInputs" not in screens and "CoreML" not in screens


def imports(file: Path) -> set[str]:
    return set(re.findall(r"^\s*(?:@\w+ )?import (\w+)", file.read_text(), re.MULTILINE))


def test_toolchain_script_skips_with_one_reason_where_it_cannot_work(tmp_path):
    script = tmp_path / "ios_demo" / "toolchain" / "setup.sh"
    script.parent.mkdir(parents=True)
    shutil.copy(IOS / "toolchain/setup.sh", script)
    few = tmp_path / "bin"
    few.mkdir()
    for tool in ("bash", "dirname", "sha256sum", "cut", "uname", "cat", "id"):
        (few / tool).symlink_to(shutil.which(tool))
    done = subprocess.run([script], env={"PATH": str(few)}, capture_output=True, text=True)
    assert done.returncode == 3, done
    assert re.fullmatch(r"no Swift here: [^\n]+\n", done.stderr) and not (tmp_path / ".swift").exists()
