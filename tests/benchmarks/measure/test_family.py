"""What a runtime takes in a child process of its own counts as the runtime's."""

import subprocess
import sys

import psutil
import pytest

from benchmarks.measure.family import PROC, cpu_s, family
from benchmarks.measure.memory import peak_mib, reset_peak, resident_mib

HUNGRY = """
held = bytearray(200 << 20); held[::4096] = b"x" * len(held[::4096])
del held
print("ready", flush=True); input()
sum(range(20_000_000)); print("done", flush=True); input()
"""


@pytest.mark.skipif(not PROC.exists(), reason="only Linux tells of another process's peak")
def test_a_childs_memory_and_time_count():
    before, spent = resident_mib(), cpu_s()
    with subprocess.Popen([sys.executable, "-c", HUNGRY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"ready\n"
        assert child.pid in family() and resident_mib() > before + 2
        with_child = peak_mib()
        assert reset_peak() and with_child - peak_mib() > 150  # what it let go of
        child.stdin.write(b"\n"), child.stdin.flush()
        assert child.stdout.readline() == b"done\n" and cpu_s() - spent > 0.1
        child.kill()
    assert child.pid not in family() and not psutil.pid_exists(child.pid)
