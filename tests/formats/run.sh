#!/usr/bin/env bash
# run.sh [PYTEST-ARGUMENT...]: the wire formats against the official SDKs, over recorded traffic, with the `fkm-wire` of
# FKM_WIRE (default: a debug build of this tree). Installs what is missing into the cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

if [ -z "${FKM_WIRE:-}" ]; then
  (cd "$root" && cargo build --locked -p fkm-wire >&2)
  FKM_WIRE=${CARGO_TARGET_DIR:-$root/target}/debug/fkm-wire
fi
export FKM_WIRE
venv=$("$root/tests/setup/venv.sh" conformance "$root/tests/conformance/requirements.txt")
cd "$here"
exec timeout --signal=INT --kill-after=30 900 "$venv/bin/python" -B -m pytest "$@"
