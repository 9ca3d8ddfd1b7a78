#!/bin/sh
# Usage: npm run bench -- NAME [--option value]...   The last line printed is one flat JSON object.
here=$(cd "$(dirname "$0")" && pwd)
exec sh "$here/setup.sh" node --disable-warning=ExperimentalWarning "$here/../test/bench/bench.ts" "$@"
