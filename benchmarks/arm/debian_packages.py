"""Debian packages unpacked into a folder: fetched by the machine's apt, never installed.

    the mirror that this machine's apt names -> a private apt with its own lists and no installed package
    -> download the packages and all they depend on -> dpkg-deb --extract each into the folder

Nothing outside the folder changes; the signatures are checked against Debian's keyring. Some checks need programs that
no Python package brings: an ARM Python, a device daemon; and some packages hold photographs.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lariqa.errors import Refusal

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def unpack(
    packages: Sequence[str],
    into: Path,
    *,
    architecture: str | None = None,
    release: str = "",
    suite: str = "",
    without: Sequence[str] = (),
    alone: bool = False,
) -> None:
    """Unpack packages and what they depend on.

    Args:
        packages: names.
        into: the folder to unpack in.
        architecture: Debian's name of it, "arm64"; None: the machine's own.
        release: "trixie": take them from that release, whichever runs here.
        suite: "backports": take the packages from there, the rest from the release itself.
        without: packages that the system has for sure and that must not come twice, such as libc6.
        alone: leave out what they depend on; for packages that hold data only.

    Raises:
        Refusal: this is no Debian, or its mirror does not have them; one sentence that says why.
    """
    running = debian_release()
    mirror, release = _mirror(running), release or running
    with tempfile.TemporaryDirectory(prefix="debian-packages-") as scratch:
        apt = _private_apt(Path(scratch), mirror, release, suite, architecture)
        _apt([*apt, "update"], "the Debian mirror could not be read")
        source = ["--target-release", f"{release}-{suite}"] if suite else []
        failed, archives = f"{', '.join(packages)}: not to be had", Path(scratch, "archives")
        if alone:
            _apt([*apt, "download", *source, *packages], failed, archives)
        else:
            _apt([*apt, "install", "--yes", "--download-only", *source, *packages], failed)
        archives = sorted(archives.glob("*.deb"))
        for archive in archives:
            if archive.name.split("_")[0] not in without:
                subprocess.run(["dpkg-deb", "--extract", archive, into], check=True)


def debian_release() -> str:
    """The code name of the Debian that runs here, for example "bookworm".

    Raises:
        Refusal: it is another system, or one without apt.
    """
    system = platform.freedesktop_os_release() if platform.system() == "Linux" else {}
    if system.get("ID") != "debian" or not system.get("VERSION_CODENAME"):
        raise Refusal(f"only Debian's packages are known here; this is {system.get('PRETTY_NAME', platform.system())}")
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise Refusal(f"{tool} is missing, so no package can be fetched")
    if not KEYRING.exists():
        raise Refusal(f"{KEYRING} is missing, so no package could be verified; install debian-archive-keyring")
    return system["VERSION_CODENAME"]


def _mirror(release: str) -> str:
    """Where this machine's own apt finds the release: no address stands in this project."""
    asked = ["apt-get", "indextargets", "--format", "$(CREATED_BY) $(RELEASE) $(REPO_URI)"]
    for line in subprocess.run(asked, capture_output=True, text=True).stdout.splitlines():
        if line.startswith(f"Packages {release} "):
            return line.split(" ", 2)[2]
    raise Refusal(f"this machine's apt names no mirror of {release}")


def _private_apt(scratch: Path, mirror: str, release: str, suite: str, architecture: str | None) -> list[str]:
    """An ``apt-get`` that knows one mirror and no installed package; the machine's proxies and passwords stay."""
    for folder in ("lists/partial", "archives/partial", "parts"):
        (scratch / folder).mkdir(parents=True)
    (scratch / "status").touch()
    suites = [release, f"{release}-{suite}"] if suite else [release]
    lines = [f"deb [signed-by={KEYRING}] {mirror} {name} main\n" for name in suites]
    (scratch / "sources.list").write_text("".join(lines))
    options = {
        "Dir::State": scratch,
        "Dir::State::lists": scratch / "lists",
        "Dir::State::status": scratch / "status",
        "Dir::Cache": scratch,
        "Dir::Cache::archives": scratch / "archives",
        "Dir::Etc::sourcelist": scratch / "sources.list",
        "Dir::Etc::sourceparts": scratch / "parts",
        "Dir::Etc::preferencesparts": scratch / "parts",
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
    }
    if architecture:
        options |= {"APT::Architecture": architecture, "APT::Architectures": architecture}
    return ["apt-get", "--quiet", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]


def _apt(command: list[str], failed: str, folder: Path | None = None) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if ended.returncode:
        # Only the kind of error: apt's lines hold the mirror's address, and that may hold a password.
        errors = [line for line in ended.stderr.splitlines() if line.startswith("E:") and "://" not in line]
        raise Refusal(f"{failed} (apt-get: {errors[-1][3:] if errors else f'status {ended.returncode}'})")
