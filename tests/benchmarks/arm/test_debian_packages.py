"""Packages into a folder: from the machine's own mirror, verified, or refused in one sentence without its address."""

import os
import shlex
from pathlib import Path

import pytest

from benchmarks.arm import debian_packages
from benchmarks.arm.debian_packages import unpack
from lariqa.errors import Refusal

MIRROR = "http://user:secret@mirror.invalid/debian/"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A Debian whose apt is ours: a function that says what ``apt-get`` does, in lines of shell."""
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"ID": "debian", "VERSION_CODENAME": "bookworm"})
    keyring = tmp_path / "keyring.gpg"
    keyring.touch()
    monkeypatch.setattr(debian_packages, "KEYRING", keyring)
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    def write(lines: str, mirror: str = MIRROR) -> Path:
        known = f"echo 'Packages bookworm-updates http://other/'; echo 'Packages bookworm {mirror}'"
        log = shlex.quote(str(tmp_path / "log"))
        for name, body in (
            ("apt-get", f'if [ "$1" = indextargets ]; then {known}; exit; fi\necho "$@" >>{log}\n'
                        'for word; do case "$word" in Dir::Cache::archives=*) archives="${word#*=}";; '
                        'Dir::Etc::sourcelist=*) cat "${word#*=}" >>' + log + f';; esac; done\n{lines}'),
            ("dpkg-deb", f'echo unpack "$(basename "$2")" >>{log}'),
        ):  # fmt: skip
            (programs / name).write_text(f"#!/bin/sh\n{body}\n")
            (programs / name).chmod(0o755)
        return tmp_path / "log"

    return write


def test_all_that_was_fetched_is_unpacked_but_what_the_system_has(machine, tmp_path):
    log = machine('for name in adb adbd libc6; do touch "$archives/${name}_1_amd64.deb"; done')
    unpack(["adb", "adbd"], tmp_path / "root", suite="backports", without=("libc6",))
    said = log.read_text()
    assert "unpack adb_1_amd64.deb" in said and "unpack adbd_1_amd64.deb" in said and "unpack libc6" not in said
    assert f"deb [signed-by={tmp_path}/keyring.gpg] {MIRROR} bookworm-backports main" in said
    assert "--target-release bookworm-backports adb adbd" in said


def test_another_architecture_is_asked_for(machine, tmp_path):
    log = machine("")
    unpack(["python3.11"], tmp_path / "root", architecture="arm64")
    assert "APT::Architecture=arm64" in log.read_text() and "backports" not in log.read_text()


def test_data_of_another_release_comes_alone(machine, tmp_path):
    log = machine('case "$*" in *download*budgie-backgrounds*) touch budgie-backgrounds_3_all.deb;; esac')
    unpack(["budgie-backgrounds"], tmp_path / "root", release="trixie", alone=True)
    said = log.read_text()
    assert f"{MIRROR} trixie main" in said and "bookworm main" not in said and " install " not in said
    archives = said.split("Dir::Cache::archives=")[1].split()[0]
    assert "unpack budgie-backgrounds_3_all.deb" in said and not Path(archives).exists()


def test_a_mirror_that_fails_is_one_sentence_without_its_address(machine, tmp_path):
    machine(f'echo "E: Failed to fetch {MIRROR}x  404" >&2; echo "E: Some index files failed" >&2; exit 100')
    with pytest.raises(Refusal, match=r"could not be read \(apt-get: Some index files failed\)") as refused:
        unpack(["adb"], tmp_path / "root")
    assert "secret" not in str(refused.value)
    machine(f'case "$*" in *install*) echo "E: {MIRROR} is down" >&2; exit 100;; esac')
    with pytest.raises(Refusal, match=r"adb: not to be had \(apt-get: status 100\)"):
        unpack(["adb"], tmp_path / "root")


def test_what_is_no_debian_is_refused(machine, monkeypatch, tmp_path):
    machine("", mirror="")
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"ID": "fedora", "PRETTY_NAME": "Fedora 43"})
    with pytest.raises(Refusal, match="only Debian's packages are known here; this is Fedora 43"):
        unpack(["adb"], tmp_path / "root")
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    with pytest.raises(Refusal, match="this is Darwin"):
        unpack(["adb"], tmp_path / "root")


def test_without_debians_keyring_nothing_is_fetched(machine, monkeypatch, tmp_path):
    log = machine("")
    monkeypatch.setattr(debian_packages, "KEYRING", tmp_path / "nosuch")
    with pytest.raises(Refusal, match="nosuch is missing, so no package could be verified"):
        unpack(["adb"], tmp_path / "root")
    assert not log.exists()
