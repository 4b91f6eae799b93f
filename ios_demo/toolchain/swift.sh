#!/usr/bin/env bash
# Run a command of the Swift toolchain that setup.sh made available, on this checkout, without network:
#
#   ios_demo/toolchain/swift.sh swift build --scratch-path .swift/build
#   ios_demo/toolchain/swift.sh swift-format lint --recursive ios_demo
#
# With `swift` on the PATH that one runs. Else the command runs in the chroot, where the checkout and /tmp have the same
# paths as outside; mounts and processes are in namespaces of their own and vanish with the command.
set -euo pipefail

checkout="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
root="$checkout/.swift/root"
if [ -z "${LARIQA_SWIFT_CHROOT:-}" ] && command -v swift >/dev/null; then
    if [ "$1" = swift-format ] && ! command -v swift-format >/dev/null; then
        shift
        exec swift format "$@" # how Xcode 16 and the toolchains of swift.org offer it
    fi
    exec "$@"
fi
[ -e "$root/.ready" ] || { echo "no Swift toolchain yet: run ios_demo/toolchain/setup.sh" >&2; exit 3; }

export checkout root here="$PWD"
# shellcheck disable=SC2016 # expanded inside
exec unshare --mount --pid --fork --kill-child --net bash -euc '
    mkdir -p "$root/dev" "$root/proc" "$root/tmp" "$root$checkout"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount --bind /tmp "$root/tmp"
    mount --bind "$checkout" "$root$checkout"
    mkdir -p "$checkout/.swift/home"
    exec chroot "$root" /usr/bin/env -i HOME="$checkout/.swift/home" LANG=C.UTF-8 \
        PATH=/usr/libexec/swift/bin:/usr/sbin:/usr/bin:/sbin:/bin LARIQA_EXPORT="${LARIQA_EXPORT:-}" \
        LARIQA_VECTORS="${LARIQA_VECTORS:-}" /bin/bash -euc '\''cd "$1"; shift; exec "$@"'\'' swift.sh "$here" "$@"
' swift.sh "$@"
