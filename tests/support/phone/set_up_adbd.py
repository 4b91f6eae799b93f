"""Make Debian's adb and adbd, the two ends of a real connection, available in ``.adbd`` of the checkout.

    python tests/phone/set_up_adbd.py

Nothing is installed: the packages (bookworm-backports, 10 MB) are unpacked in that folder. Running it again costs
nothing. Prints the folder of both programs, then the LD_LIBRARY_PATH that they need. Exit status: 0 ready; 3 cannot be
done here, one line says why.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.arm.debian_packages import debian_release, unpack
from lariqa.errors import Refusal

HOME = Path(__file__).parents[3] / ".adbd"
ROOT = HOME / "root"
TOOLS = ROOT / "usr/lib/android-sdk/platform-tools"
RELEASE = "bookworm"  # later ones have no adbd in their backports


def libraries() -> str:
    """LD_LIBRARY_PATH for both programs."""
    return ":".join(str(folder) for part in ("usr/lib", "lib") for folder in _library_folders(ROOT / part))


def set_up() -> None:
    """Fetch and unpack, unless that was done; check that both programs start.

    Raises:
        Refusal: this machine cannot have them, and why.
    """
    for tool in ("unshare", "nsenter"):
        if not shutil.which(tool):
            raise Refusal(f"{tool} (util-linux) is missing, so a device daemon cannot be kept away from the network")
    if subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True).returncode:
        raise Refusal("this user may not make a network namespace, which keeps the device daemon to itself")
    HOME.mkdir(exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes may come at once
        if not (ROOT / ".ready").exists():
            if debian_release() != RELEASE:
                raise Refusal(f"adbd comes from Debian {RELEASE}'s backports; this is {debian_release()}")
            shutil.rmtree(ROOT, ignore_errors=True)
            ROOT.mkdir()
            unpack(["adb", "adbd"], ROOT, suite="backports", without=("libc6",))
            (ROOT / ".ready").touch()
    started = subprocess.run(
        [TOOLS / "adb", "version"], capture_output=True, text=True, env={**os.environ, "LD_LIBRARY_PATH": libraries()}
    )
    if started.returncode:
        raise Refusal(f"the unpacked adb does not start ({started.stderr.strip()}); remove {HOME} and try again")


def _library_folders(folder: Path) -> list[Path]:
    """Debian's per-machine library folders, Android's own before the rest."""
    machines = sorted(folder.glob("*-linux-gnu*"))
    return [path for machine in machines for path in (machine / "android", machine) if path.is_dir()]


if __name__ == "__main__":
    try:
        set_up()
        print(TOOLS, libraries(), sep="\n")
    except Refusal as reason:
        print(reason, file=sys.stderr)
        sys.exit(3)
