#!/usr/bin/env bash
# The packages that the page is built of, exactly those of package-lock.json; nothing of theirs is run while they install.
# Ends with status 3 and one sentence where it cannot work.
set -euo pipefail
cd "$(dirname "$0")"

cannot() { echo "no page here: $1" >&2; exit 3; }
command -v node >/dev/null || cannot "no Node.js (node); it builds the page"
command -v npm >/dev/null || cannot "no npm; it installs what the page is built of"
node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 11) ? 0 : 1)' ||
    cannot "Node.js $(node --version) is too old; the build needs 20.11 or newer"

sum=$(sha256sum package-lock.json | cut -d" " -f1)
[ "$(cat node_modules/.made_from 2>/dev/null || true)" = "$sum" ] && exit 0
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
echo "$sum" > node_modules/.made_from
