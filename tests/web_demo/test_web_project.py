"""The browser app as a project: pinned exactly, no address in it, one policy everywhere, imports that point down.

The page itself is compiled and tested by `make test-web`.
"""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import lariqa

HOUSE = Path(__file__).parents[2]
WEB = HOUSE / "web_demo"
SOURCES = sorted(WEB.glob("src/**/*.ts"))
ROOMS = ["refusal", "manifest", "pixels", "scoring", "benchmark", "page"]  # from the ground up
PACKAGE = json.loads((WEB / "package.json").read_text())
LOCK = json.loads((WEB / "package-lock.json").read_text())


def test_every_package_is_pinned_exactly_and_named_by_no_address():
    asked = {**PACKAGE["dependencies"], **PACKAGE["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked.values()), asked
    locked = {name: row for name, row in LOCK["packages"].items() if name}
    assert len(locked) > 10 and all(row["integrity"].startswith("sha512-") for row in locked.values())
    assert not any("resolved" in row for row in locked.values())
    assert {name: locked[f"node_modules/{name}"]["version"] for name in asked} == asked
    assert "://" not in re.sub(r'"url": "[^"]+"', "", (WEB / "package-lock.json").read_text())


def test_the_versions_of_the_toolkit_and_of_the_page_agree():
    assert PACKAGE["version"] == lariqa.__version__ == LOCK["version"]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_a_source_is_short_says_what_it_is_and_names_no_other_place(file):
    text = file.read_text()
    assert len(text.splitlines()) <= 300
    assert max(map(len, text.splitlines())) <= 140  # prettier breaks code at 120, not text
    assert text.startswith("/**")
    assert not re.search(r"https?://|\beval\(|new Function\b|innerHTML|insertAdjacentHTML", text)


def room_of(path: Path) -> int | None:
    name = path.relative_to(WEB / "src").parts[0].removesuffix(".ts")
    return ROOMS.index(name) if name in ROOMS else None


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_rooms_import_only_downwards(file):
    for name in re.findall(r'from "(\.[^"]+\.ts)"', file.read_text()):
        target = (file.parent / name).resolve()
        assert target.is_file(), name
        here, there = room_of(file), room_of(target)
        if here is not None and there is not None:
            assert there <= here, f"{file.name} imports {name}"


def test_the_apps_have_the_same_rooms():
    swift = {folder.name.lower() for folder in (HOUSE / "ios_demo/Sources/LarIqaKit").iterdir() if folder.is_dir()}
    kotlin = HOUSE / "android_demo/core/src/main/kotlin/org/lariqa/core"
    shared = set(ROOMS[1:-1])  # a browser has no units to audition
    assert swift == shared | {"audition"}
    assert {folder.name for folder in kotlin.iterdir() if folder.is_dir()} >= shared
    assert all((WEB / "src" / room).is_dir() for room in shared)


def test_the_policy_of_the_page_is_that_of_its_answers():
    """A frame's ancestors are the one thing that a page cannot say of itself."""
    source = (WEB / "src/headers.ts").read_text()
    written = source.split('"Content-Security-Policy":')[1].split('",\n')[0]
    policy = " ".join("".join(re.findall(r'"([^"]*)', written.replace('" +', ""))).split())
    page = html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', index()).group(1))
    assert policy.replace("; frame-ancestors 'none'", "") == page
    rules = dict(rule.strip().split(" ", 1) for rule in page.split(";"))
    assert rules["default-src"] == "'none'" and rules["connect-src"] == "'self'"
    assert not any(re.search(r"https?:|\*|unsafe-inline|'unsafe-eval'", rule) for rule in rules.values())


def index() -> str:
    return (WEB / "static/index.html").read_text()


def test_the_page_has_no_script_or_style_of_its_own_and_every_element_that_the_code_asks_for():
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\bsrc=)", index())
    asked = {name for file in SOURCES for name in re.findall(r'element(?:<\w+>)?\("([\w-]+)"\)', file.read_text())}
    asked -= {"id"}
    assert len(asked) > 15 and asked <= set(re.findall(r'\bid="([\w-]+)"', index()))
    assert "never leaves this device" in " ".join(index().split())


def test_what_is_built_is_not_in_git():
    if shutil.which("git") and (HOUSE / ".git").exists():
        for path in ("web_demo/site/index.html", "web_demo/node_modules/x/x.js", "web_demo/build/vectors/x"):
            assert subprocess.run(["git", "check-ignore", "-q", path], cwd=HOUSE).returncode == 0, path


@pytest.mark.parametrize(("script", "arguments"), [("install.sh", []), ("test.sh", ["python"])])
def test_without_node_a_script_ends_with_one_reason(script, arguments, tmp_path):
    folder = shutil.copytree(WEB, tmp_path / "web_demo", ignore=shutil.ignore_patterns("node_modules", "site", "build"))
    few = tmp_path / "bin"
    few.mkdir()
    for tool in ("bash", "dirname", "realpath", "sha256sum", "cut", "cat"):
        (few / tool).symlink_to(shutil.which(tool))
    done = subprocess.run([folder / script, *arguments], env={"PATH": str(few)}, capture_output=True, text=True)
    said = "no page here: no Node.js (node); it builds the page\n"
    if script == "install.sh":
        assert (done.returncode, done.stdout, done.stderr) == (3, "", said)
    else:
        assert (done.returncode, done.stdout, done.stderr) == (0, f"SKIPPED test-web: {said}", "")
