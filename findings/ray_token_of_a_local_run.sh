#!/usr/bin/env bash
# Ray 2.60.0: after one local ray.init(), a head that `ray start --head` begins turns away a second node and a driver.
#
# A local ray.init() writes ~/.ray/auth_token. `ray start --head` finds it, and has its cluster ask for a token although
# RAY_AUTH_MODE is not set; `ray start --address`, `ray status` and ray.init(address) do not send one unless it is set, though
# they see the same file. Without the file, the same commands work. Expected: both sides decide alike.
#
# Seen: "without a token file: status 0" / "after a local run: status 1" / "with RAY_AUTH_MODE=token: status 0".
# Exits 1 when that changes. Runs in a temporary folder, with a HOME and a token of its own, on this machine alone; needs
# Python 3.11 to 3.13 and a package index.
set -euo pipefail
work=$(mktemp -d)
head_of() { pgrep -f "$work/r/session" || true; }
end() { for signal in TERM KILL; do for process in $(head_of); do kill -$signal "$process" 2>/dev/null || true; done; sleep 3; done; }
trap 'end; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ray==2.60.0
export PATH="$work/venv/bin:$PATH" HOME="$work" RAY_USAGE_STATS_ENABLED=0
unset RAY_AUTH_MODE RAY_AUTH_TOKEN RAY_AUTH_TOKEN_PATH RAY_ADDRESS
node=$(python -c 'import ray; print(ray.util.get_node_ip_address())')
status_of_a_head() { # name, port
    rm -rf "$work/r"
    ray start --head --port="$2" --temp-dir="$work/r" --include-dashboard=false --num-cpus=1 \
        --object-store-memory=100000000 >"$work/head.log" 2>&1
    local status=0
    ray status --address="$node:$2" >"$work/status.log" 2>&1 || status=$?
    echo "$1: status $status"
    end
}
found=$(
    status_of_a_head "without a token file" 6411
    python -c 'import ray; ray.init("local", num_cpus=1, include_dashboard=False, object_store_memory=100_000_000)' 2>/dev/null
    status_of_a_head "after a local run" 6412
    export RAY_AUTH_MODE=token
    status_of_a_head "with RAY_AUTH_MODE=token" 6413
)
echo "$found"
expected="without a token file: status 0
after a local run: status 1
with RAY_AUTH_MODE=token: status 0"
[ "$found" = "$expected" ] || { echo "this has changed" >&2; cat "$work/head.log" "$work/status.log" >&2; exit 1; }
