#!/usr/bin/env bash
# Make a Swift toolchain available on Debian, without touching the system: `swift` from the machine's own PATH if it is
# there, else Debian trixie's package swiftlang, unpacked in <checkout>/.swift/root and used by a chroot (swift.sh).
#
#   ios_demo/toolchain/setup.sh
#
# Exit status: 0 ready; 3 cannot be done here, one line on stderr says why (a reason to skip, not a failure);
# anything else: it should have worked and did not. Running it again costs nothing. 530 MB to fetch, 2.5 GB unpacked.
set -euo pipefail

SUITE=trixie
PACKAGES=(swiftlang libc6-dev libstdc++-14-dev libc-bin bash coreutils base-files dash)
checkout="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
home="$checkout/.swift"
root="$home/root"
stamp="$root/.ready"
wanted="$(sha256sum "${BASH_SOURCE[0]}" | cut -d' ' -f1)"

skip() { echo "no Swift here: $1" >&2; exit 3; }
fail() { echo "Swift set-up failed: $1" >&2; exit 1; }

if [ -z "${LARIQA_SWIFT_CHROOT:-}" ] && command -v swift >/dev/null; then exit 0; fi
[ "$(uname -s)" = Linux ] || skip "swift is not on the PATH; on macOS install Xcode"
[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0
[ "$(id -u)" = 0 ] || skip "swift is not on the PATH, and unpacking Debian's needs root (chroot and mounts)"
for tool in apt-get dpkg-deb unshare chroot flock tar; do
    command -v "$tool" >/dev/null || skip "swift is not on the PATH, and unpacking Debian's needs $tool"
done
. /etc/os-release
[ "${ID:-}" = debian ] || skip "swift is not on the PATH, and only Debian's is known here; this is ${PRETTY_NAME:-unknown}"
unshare --mount --pid --fork --net true 2>/dev/null || skip "this container may not make mount and network namespaces"
mkdir -p "$home"
[ "$(df --output=avail -k "$home" | tail -n 1)" -gt 4000000 ] || skip "it needs 4 GB of free space in $home"

exec 9>"$home/lock"
flock 9 # two test processes may come at once
[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0

# The mirror is the one that this machine's own apt uses; no address stands here.
mirror="$(apt-get update --print-uris 2>/dev/null \
    | sed -n "s#^'\([a-z+]*://.*\)/dists/${VERSION_CODENAME:-none}/InRelease'.*#\1#p" | head -n 1)"
[ -n "$mirror" ] || skip "this machine's apt names no Debian mirror for ${VERSION_CODENAME:-its release}"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || skip "$keyring is missing, so packages could not be verified"

work="$(mktemp -d "$home/unpacking-XXXXXX")"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/apt/{lists/partial,cache/archives/partial,parts} "$work/root"
: >"$work/apt/status"
echo "deb [signed-by=$keyring] $mirror $SUITE main" >"$work/apt/sources.list"
cat >"$work/apt/apt.conf" <<CONF
Dir::State "$work/apt";
Dir::State::lists "$work/apt/lists";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt/cache";
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "$work/apt/parts";
Dir::Etc::preferencesparts "$work/apt/parts";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
APT::Update::Error-Mode "any";
CONF
apt() { APT_CONFIG="$work/apt/apt.conf" apt-get -qq "$@"; }

began=$SECONDS
echo "Swift: fetching Debian $SUITE's swiftlang from this machine's mirror (530 MB) ..." >&2
apt update 2>"$work/log" || skip "the Debian mirror cannot be reached ($(tail -n 1 "$work/log"))"
apt install --yes --download-only "${PACKAGES[@]}" >"$work/log" 2>&1 \
    || fail "apt could not fetch swiftlang: $(tail -n 1 "$work/log")"

echo "Swift: unpacking ..." >&2
archives=("$work"/apt/cache/archives/*.deb)
[ "${#archives[@]}" -gt 50 ] || fail "apt fetched ${#archives[@]} packages, expected about 108"
unpack() { # documentation is a tenth of it and is not read
    dpkg-deb --fsys-tarfile "$1" | tar -x -C "$work/root" --keep-directory-symlink \
        --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*'
}
unpack "$work"/apt/cache/archives/base-files_*.deb # first: it makes /bin, /lib, /sbin links into /usr
for archive in "${archives[@]}"; do
    unpack "$archive"
    rm "$archive"
done
mkdir -p "$work/root/proc" # the loader finds Swift's libraries beside the program, and asks /proc where that is
unshare --mount --pid --fork bash -c 'mount -t proc proc "$1/proc"; chroot "$1" /sbin/ldconfig
    chroot "$1" /usr/libexec/swift/bin/swift --version' swift "$work/root" >"$work/log" 2>&1 \
    || fail "the unpacked toolchain does not start: $(tail -n 1 "$work/log")"
version="$(sed -n 's/^Swift version \([0-9.]*\).*/\1/p' "$work/log")"
case "$version" in
    6.*) ;;
    *) fail "the unpacked toolchain says version '${version:-nothing}', expected 6.x" ;;
esac
echo "$wanted" >"$work/root/.ready"
rm -rf "$root"
mv "$work/root" "$root"
echo "Swift $version is ready in ${root#"$checkout"/} ($((SECONDS - began)) s)" >&2
