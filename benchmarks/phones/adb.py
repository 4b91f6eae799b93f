"""One Android device, through the plain ``adb`` that its user already has: find it, ask it, push, pull.

Every failure ends in one sentence (Refusal), and a lost device is distinguished from a command that failed.
What adb says is matched to: https://android.googlesource.com/platform/packages/modules/adb (docs/user/adb.1.md).
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmarks.measure.measurement import Machine
from lariqa.digest import sha256_of
from lariqa.errors import Refusal

PATIENCE_S = 60.0  # for an answer that takes no work; a push and a run have other limits
TIMED_OUT = -1000  # not an exit status of any program
PUSH_S_PER_MB = 2.0  # a USB 2 cable brings 20 MB/s, a poor wireless link 1 MB/s

PROPERTIES = (
    "ro.product.manufacturer",
    "ro.product.model",
    "ro.soc.manufacturer",  # from Android 12 on, like the next
    "ro.soc.model",
    "ro.board.platform",
    "ro.product.cpu.abi",
    "ro.build.version.release",
    "ro.build.version.sdk",
    "ro.kernel.qemu",  # "1" on an emulator, by its older name and its newer one
    "ro.boot.qemu",
)
FACTS = {
    "cores": "nproc",
    "memory_kib": "grep MemTotal: /proc/meminfo | tr -dc 0-9",
    "governor": "cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
}

# What `adb devices` calls a device that cannot be used -> what to do about it.
UNUSABLE = {
    "unauthorized": "it does not trust this computer yet: unlock it and accept the question about USB debugging",
    "authorizing": "it is still being asked for its trust: unlock it, accept the question, try again",
    "offline": "it does not answer: reconnect the cable or toggle USB debugging, then `adb reconnect`",
    "connecting": "it is still connecting: try again in a moment",
    "no permissions": "this user may not open the USB device: see https://developer.android.com/studio/run/device",
    "recovery": "it is in recovery mode: start Android",
    "sideload": "it is in sideload mode: start Android",
    "bootloader": "it is in the bootloader: start Android",
    "rescue": "it is in rescue mode: start Android",
}


class DeviceLost(Refusal):
    """The device answered before and no longer does."""


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def last_words(self) -> str:
        """The last line that it printed, on stderr rather than stdout; for sentences."""
        lines = [line.strip() for text in (self.stdout, self.stderr) for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else f"status {self.status}"


@dataclass(frozen=True)
class Adb:
    """The client, and the device to use."""

    program: str
    serial: str

    @classmethod
    def find(cls, serial: str | None = None, adb_path: str | None = None) -> Adb:
        """The one device that is connected, or the one asked for.

        Args:
            serial: as ``adb devices`` shows it; None: $ANDROID_SERIAL, as for adb itself, else the only one.
            adb_path: the client, where it is not ``adb`` on the PATH.

        Raises:
            Refusal: no client, no device, several, or one that cannot be used.
        """
        program = shutil.which(adb_path or "adb")
        if program is None:
            raise Refusal(
                f"{adb_path} is no program that can be run; --adb-path takes the adb of the Android platform-tools"
                if adb_path
                else "adb is not on the PATH: install the Android platform-tools, or say where it is with --adb-path"
            )
        wanted = serial or os.environ.get("ANDROID_SERIAL")
        asked = _run([program, "devices"], PATIENCE_S)
        if asked.status:
            raise Refusal(f"`adb devices` failed: {asked.last_words}; is another adb server running? `adb kill-server`")
        states = _states(asked.stdout)
        usable = [name for name, state in states.items() if state == "device"]
        if wanted:
            if wanted not in states:
                raise Refusal(f"no device {wanted} is connected; connected: {', '.join(states) or 'none'}")
            _refuse_unusable(wanted, states[wanted])
            return cls(program, wanted)
        if not states:
            raise Refusal("no Android device is connected: plug one in with USB debugging on, or `adb connect` one")
        if len(usable) > 1:
            raise Refusal(f"{len(usable)} devices are connected: choose one, --adb {' or --adb '.join(usable)}")
        if not usable:
            _refuse_unusable(*next(iter(states.items())))
        return cls(program, usable[0])

    def shell(self, *words: str | PurePosixPath, timeout_s: float = PATIENCE_S) -> Ended:
        """Run a program on the device: each word arrives as it is."""
        return self.script(shlex.join(map(str, words)), timeout_s)

    def script(self, text: str, timeout_s: float = PATIENCE_S) -> Ended:
        """Run a line of shell on the device.

        Raises:
            DeviceLost: the device is not there any more, or does not answer in time.
        """
        ended = self._adb(["shell", text], timeout_s)
        if ended.status:
            self.refuse_if_lost(ended)
        return ended

    def machine(self) -> tuple[Machine, bool]:
        """(what the device says of itself; whether it is a phone and no emulator)."""
        # One line for each answer, empty if the device has none, or no `getprop`.
        script = "".join(f"echo {name}=$(getprop {name} 2>/dev/null);" for name in PROPERTIES)
        script += "".join(f"echo {name}=$({command} 2>/dev/null);" for name, command in FACTS.items())
        said = dict(line.partition("=")[::2] for line in self.script(script).stdout.splitlines())
        told = [said.get(name, "").strip() for name in (*PROPERTIES, *FACTS)]
        maker, model, soc_maker, soc, board, abi, release, api, *emulator, cores, memory_kib, governor = told
        name = model if model.lower().startswith(maker.lower()) else f"{maker} {model}"
        chip = f"{soc_maker} {soc}".strip() or board
        machine = Machine(
            kind="phone",
            model=(f"{name} ({chip})" if chip else name) if model else self.serial,
            system=", ".join(filter(None, (f"Android {release}", api and f"API {api}", abi))) if release else "",
            cores=int(cores) if cores.isdecimal() else 0,
            memory_mib=round(int(memory_kib) / 1024, 1) if memory_kib.isdecimal() else 0.0,
            governor=governor or None,
        )
        return machine, "1" not in emulator

    def sha256(self, paths: Sequence[PurePosixPath]) -> dict[PurePosixPath, str]:
        """Sums of the files that exist; none if the device has no ``sha256sum``."""
        asked = self.shell("sha256sum", *paths)
        lines = (line.partition(" ") for line in asked.stdout.splitlines())
        return {PurePosixPath(path.strip().lstrip("*")): digest for digest, _, path in lines if len(digest) == 64}

    def push(self, files: Sequence[Path], folder: PurePosixPath) -> list[Path]:
        """Bring files into a folder of the device, which is made; those that lie there with the same sum stay.

        Returns:
            What was really pushed.

        Raises:
            Refusal: the folder cannot be written, or a file arrived as another one.
        """
        made = self.shell("mkdir", "-p", folder)
        if made.status:
            raise Refusal(f"{folder} cannot be made on {self.serial} ({made.last_words}); give another one, --adb-dir")
        places = {file: folder / file.name for file in files}
        digests = {file: sha256_of(file) for file in files}
        there = self.sha256(list(places.values()))
        missing = [file for file in files if there.get(places[file]) != digests[file]]
        if missing:
            megabytes = sum(file.stat().st_size for file in missing) / 1e6
            pushed = self._adb(["push", *map(str, missing), f"{folder}/"], PATIENCE_S + PUSH_S_PER_MB * megabytes)
            if pushed.status:
                self.refuse_if_lost(pushed)
                raise Refusal(f"pushing {megabytes:.0f} MB to {folder} on {self.serial} failed: {pushed.last_words}")
            there = self.sha256([places[file] for file in missing])
            wrong = [file.name for file in missing if there and there.get(places[file]) != digests[file]]
            if wrong:
                raise Refusal(f"{', '.join(wrong)} arrived on {self.serial} as another file; try another cable")
        # The app runs as another user than adb's shell.
        self.script(f"chmod a+rx {shlex.quote(str(folder))}; chmod a+r {shlex.join(map(str, places.values()))}")
        return missing

    def pull(self, path: PurePosixPath, into: Path) -> None:
        """Fetch one file.

        Raises:
            Refusal: it is not there, or cannot be read.
        """
        pulled = self._adb(["pull", str(path), str(into)], PATIENCE_S)
        if pulled.status or not into.is_file():
            self.refuse_if_lost(pulled)
            raise Refusal(f"{path} could not be fetched from {self.serial}: {pulled.last_words}")

    def start(self, text: str, **pipes) -> subprocess.Popen:
        """Start a line of shell on the device and do not wait for it."""
        return subprocess.Popen([self.program, "-s", self.serial, "shell", text], stdin=subprocess.DEVNULL, **pipes)

    def refuse_if_lost(self, ended: Ended) -> None:
        """Distinguish a lost device from a command that failed on it.

        Raises:
            DeviceLost: it is not connected any more.
        """
        state = _run([self.program, "-s", self.serial, "get-state"], PATIENCE_S)
        if state.status or state.stdout.strip() != "device":
            raise DeviceLost(
                f"the connection to {self.serial} was lost ({ended.last_words}); connect it and start again: "
                "what was pushed is not pushed again"
            )

    def _adb(self, words: Sequence[str], timeout_s: float) -> Ended:
        ended = _run([self.program, "-s", self.serial, *words], timeout_s)
        if ended.status == TIMED_OUT:
            raise DeviceLost(f"{self.serial} gave {ended.last_words}; reconnect it and start again")
        return ended


def _run(command: Sequence[str], timeout_s: float) -> Ended:
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        return Ended(TIMED_OUT, "", f"no answer within {timeout_s:.0f} s")
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def _states(text: str) -> dict[str, str]:
    """The answer of ``adb devices``: serial -> state."""
    lines = (line.partition("\t") for line in text.splitlines() if "\t" in line)
    return {serial.strip(): state.strip() for serial, _, state in lines}


def _refuse_unusable(serial: str, state: str) -> None:
    if state != "device":
        known = next((advice for word, advice in UNUSABLE.items() if state.startswith(word)), "adb cannot use it so")
        raise Refusal(f"device {serial} is {state.split(' (')[0]}; {known}")
