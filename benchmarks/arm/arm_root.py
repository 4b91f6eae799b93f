"""``python -m benchmarks.arm.arm_root``, or ``make arm``: an ARM Python with both runtimes, to run on this machine.

    .arm/qemu-aarch64-static   runs one ARM program on another processor          (Debian)
    .arm/root                  python3.11 and the libraries that it needs         (Debian, arm64)
    .arm/site                  ONNX Runtime, LiteRT, numpy as they ship for ARM   (PyPI, aarch64 wheels)

Nothing is installed and nothing needs root. The wheels have the versions that are installed here, so that a difference
between the two processors is one of arithmetic. Both runtimes ask /proc/cpuinfo what they may use and crash on the
host's answer; qemu gives them ``.arm/root/proc/cpuinfo`` instead.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arm.debian_packages import unpack
from lariqa.atomic import remove
from lariqa.backends import versions
from lariqa.errors import Refusal

HOME = Path(__file__).parents[2] / ".arm"
RECIPE = 1  # raised when what is made below changes
QEMU = "qemu-aarch64-static"
PROCESSOR = "neoverse-n1"  # half-precision and dot-product instructions, as phones have had since 2018
FEATURES = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs"
PYTHON = ("python3.11", "libstdc++6", "libgomp1", "libgcc-s1")
WHEELS = ("onnxruntime", "ai-edge-litert", "numpy")


@dataclass(frozen=True)
class ArmRoot:
    """A prepared root."""

    home: Path
    qemu_version: str
    wheels: dict[str, str]

    @property
    def processor(self) -> str:
        """What is emulated, and by what."""
        return f"{PROCESSOR}, emulated by qemu-user {self.qemu_version}"

    def command(self, program: Path, *words: str | Path) -> list[str]:
        """How to run a Python program on the emulated processor."""
        home = self.home
        return [
            str(home / QEMU),
            *("-cpu", PROCESSOR, "-L", str(home / "root"), "-E", f"PYTHONPATH={home / 'site'}"),
            *(str(home / "root/usr/bin/python3.11"), "-s", str(program), *map(str, words)),
        ]


def find_arm_root() -> ArmRoot:
    """The root that was prepared before.

    Raises:
        Refusal: there is none for what is installed here, or none is needed.
    """
    if platform.machine() in ("aarch64", "arm64"):
        raise Refusal("this machine is ARM itself: `lariqa verify` runs the ARM kernels directly")
    try:
        ready = json.loads((HOME / "ready.json").read_text())
    except (OSError, ValueError):
        ready = None
    if not isinstance(ready, dict) or {key: ready.get(key) for key in ("recipe", "wheels")} != _wanted():
        raise Refusal(f"no ARM Python with {_named(versions(*WHEELS))} is prepared; `make arm` does it in a minute")
    return ArmRoot(HOME, ready["qemu"], ready["wheels"])


def prepare_arm_root(progress=lambda step: None) -> ArmRoot:
    """Make the root, unless it is there, and verify it.

    Raises:
        Refusal: this machine cannot have one, and why.
    """
    try:
        return find_arm_root()
    except Refusal:
        if platform.system() != "Linux" or platform.machine() != "x86_64":
            raise Refusal(
                f"ARM is emulated on x86-64 Linux; this is {platform.machine()} {platform.system()}"
            ) from None
    HOME.mkdir(exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return find_arm_root()  # another process made it in the meantime
        except Refusal:
            pass
        stage = Path(tempfile.mkdtemp(prefix="making-", dir=HOME))
        try:
            progress("fetching qemu-user and an ARM Python from Debian")
            unpack(["qemu-user-static"], stage / "host")
            (stage / "host/usr/bin" / QEMU).rename(
                stage / QEMU
            )  # the package also has emulators of 30 other processors
            unpack(PYTHON, stage / "root", architecture="arm64")
            (stage / "root/proc").mkdir(parents=True, exist_ok=True)
            (stage / "root/proc/cpuinfo").write_text(_cpuinfo(os.cpu_count() or 1))
            progress(f"fetching {_named(versions(*WHEELS))} for aarch64 from PyPI")
            _install_wheels(stage / "site")
            progress("starting it")
            ready = {**_wanted(), "qemu": _verified(ArmRoot(stage, "", versions(*WHEELS)))}
            (HOME / "ready.json").unlink(missing_ok=True)
            for part in (QEMU, "root", "site"):
                remove(HOME / part)
                (stage / part).rename(HOME / part)
            (stage / "ready.json").write_text(json.dumps(ready, indent=2))
            (stage / "ready.json").rename(HOME / "ready.json")
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        return find_arm_root()


def _wanted() -> dict:
    return {"recipe": RECIPE, "wheels": versions(*WHEELS)}


def _named(wheels: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in wheels.items())


def _install_wheels(site: Path) -> None:
    local = Path(sys.executable).parent / "uv"
    uv = str(local) if local.exists() else shutil.which("uv")
    if uv is None:
        raise Refusal("uv is missing, which fetches wheels for another processor: pip install uv")
    # uv rather than pip: it evaluates the markers of dependencies for the other platform too.
    target = ["--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.11", "--target", site]
    pins = [f"{name}=={version}" for name, version in versions(*WHEELS).items()]
    installed = subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", sys.executable, *target, "--only-binary", ":all:", *pins],
        capture_output=True,
        text=True,
    )
    if installed.returncode:
        lines = [line.strip() for line in installed.stderr.splitlines() if line.strip() and "://" not in line]
        raise Refusal(f"the wheels for aarch64 could not be fetched: {' '.join(lines[-3:])}")


def _verified(root: ArmRoot) -> str:
    """Run both runtimes' import there; qemu's version."""
    asked = subprocess.run([root.home / QEMU, "--version"], capture_output=True, text=True)
    program = root.home / "ask.py"
    program.write_text(
        "import importlib.metadata, json, platform, numpy, onnxruntime, ai_edge_litert.interpreter\n"
        f"names = {WHEELS!r}\n"
        "print(json.dumps([platform.machine(), {name: importlib.metadata.version(name) for name in names}]))\n"
    )
    answer = subprocess.run(root.command(program), capture_output=True, text=True, timeout=300)
    if answer.returncode or answer.stdout.strip() != json.dumps(["aarch64", root.wheels]):
        last = (answer.stderr or answer.stdout).strip().splitlines()[-1:]
        raise Refusal(f"the ARM Python does not start as it should (status {answer.returncode}): {''.join(last)}")
    return asked.stdout.split("version ")[1].split()[0]


def _cpuinfo(processors: int) -> str:
    """As Linux writes it on a Neoverse N1 (implementer ARM, part 0xd0c)."""
    one = (
        f"BogoMIPS\t: 50.00\nFeatures\t: {FEATURES}\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
        "CPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n"
    )
    return "".join(f"processor\t: {number}\n{one}" for number in range(processors))


def main() -> int:
    """Prepare the root and say what it is; status 2 where it cannot be."""
    try:
        root = prepare_arm_root(lambda step: print(f"{step} ...", file=sys.stderr))
    except Refusal as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    print(f"{root.home.name} is ready: {root.processor}; {_named(root.wheels)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
