#!/usr/bin/env bash
# Ray Data 2.60.0 with actors that hold all processors: with a batch size the same two steps never end, without a word.
#
#     ray.init(num_cpus=2)
#     ray.data.range(100).map_batches(Actor, compute=ActorPoolStrategy(size=2), batch_size=...)
#
# batch_size=None: reading is fused into the actors, 100 rows come. batch_size=16: reading is a step of its own since the
# actors ask for so many rows; its tasks need a processor each, the two actors hold both, and nothing says so. Expected: an
# error, as Ray Core gives for an actor that no node can hold, or that reading is fused or begun before the actors.
#
# Seen: "batch_size=None: 100 rows" / "batch_size=16: nothing in 100 s". Exits 1 when that changes.
# Runs in a temporary folder, on this machine alone; needs Python 3.11 to 3.13 and a package index. About three minutes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "ray[data]==2.60.0" pyarrow==26.0.1 pandas==3.1.1
cat > "$work/steps.py" <<'PY'
import os
import signal
import subprocess
import sys

LIMIT_S = 100


def steps(size):
    import ray

    ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=200_000_000, log_to_driver=False)

    class Actor:
        def __call__(self, batch):
            return batch

    pool = ray.data.ActorPoolStrategy(size=2)
    print(len(ray.data.range(100).map_batches(Actor, compute=pool, batch_size=size).take_all()), "rows")


if len(sys.argv) > 1:
    steps(None if sys.argv[1] == "None" else int(sys.argv[1]))
    sys.exit()
for size in ("None", "16"):
    child = subprocess.Popen(
        [sys.executable, __file__, size], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        start_new_session=True,
    )
    try:
        said = child.communicate(timeout=LIMIT_S)[0].strip().splitlines()[-1]
    except subprocess.TimeoutExpired:
        said = f"nothing in {LIMIT_S} s"
        os.killpg(child.pid, signal.SIGTERM)
        child.communicate()
    print(f"batch_size={size}: {said}")
PY
export HOME="$work" RAY_USAGE_STATS_ENABLED=0
found=$("$work/venv/bin/python" "$work/steps.py")
echo "$found"
expected="batch_size=None: 100 rows
batch_size=16: nothing in 100 s"
[ "$found" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
