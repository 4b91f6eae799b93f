"""A stand-in for the program ``adb``: one device that is this machine, with the moods that the tests ask for.

Environment: FAKE_ADB_DEVICES, the lines of ``adb devices``, ``serial:state`` separated by commas; FAKE_ADB_PUSH_FAILS,
what a push says before it fails; FAKE_ADB_LOST, a file: while it exists no device answers; FAKE_ADB_LOG, a file that
each command is written to.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

words = sys.argv[1:]
devices = dict(line.split(":") for line in os.environ.get("FAKE_ADB_DEVICES", "").split(",") if line)
with Path(os.environ["FAKE_ADB_LOG"]).open("a") as log:
    log.write(json.dumps(words) + "\n")


def fail(sentence: str) -> None:
    print(sentence, file=sys.stderr)
    sys.exit(1)


if words == ["devices"]:
    print("List of devices attached")
    for serial, state in devices.items():
        print(f"{serial}\t{state}")
    print()
    sys.exit()

assert words[0] == "-s", words
serial, command, rest = words[1], words[2], words[3:]
if Path(os.environ["FAKE_ADB_LOST"]).exists() or devices.get(serial) != "device":
    fail(f"adb: device '{serial}' not found")
if command == "get-state":
    print("device")
elif command == "shell":
    ended = subprocess.run(["/bin/sh", "-c", *rest], start_new_session=True)  # as adbd does
    lost = Path(os.environ["FAKE_ADB_LOST"]).exists()
    sys.exit(255 if lost else ended.returncode)
elif command == "push":
    if os.environ.get("FAKE_ADB_PUSH_FAILS"):
        fail(os.environ["FAKE_ADB_PUSH_FAILS"])
    for file in rest[:-1]:
        shutil.copy(file, rest[-1])
elif command == "pull":
    if not Path(rest[0]).exists():
        fail(f"adb: error: failed to stat remote object '{rest[0]}': No such file or directory")
    shutil.copy(*rest)
else:
    fail(f"adb: unknown command {command}")
