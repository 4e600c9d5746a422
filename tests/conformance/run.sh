#!/usr/bin/env bash
# run.sh [PYTEST-ARGUMENT...]: the SDK conformance suite against the sidecar of FKM_SIDECAR, the `fkm` of FKM and the
# `fkm-upstream` of FKM_UPSTREAM (default: debug builds of this tree). Installs what is missing into the cache. `--direct`
# runs it against the upstreams alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

case " $* " in
  *" --direct "*) ;;
  *)
    built=${CARGO_TARGET_DIR:-$root/target}/debug
    build() {
      (cd "$root" && cargo build --locked -p "$1" >&2)
    }
    [ -n "${FKM_SIDECAR:-}" ] || { build fkm-sidecar; FKM_SIDECAR=$built/fkm-sidecar; }
    [ -n "${FKM:-}" ] || { build fkm-cli; FKM=$built/fkm; }
    [ -n "${FKM_UPSTREAM:-}" ] || { build fkm-upstream; FKM_UPSTREAM=$built/fkm-upstream; }
    export FKM_SIDECAR FKM FKM_UPSTREAM
    ;;
esac
venv=$("$root/tests/setup/venv.sh" conformance "$here/requirements.txt")
cd "$here"
exec timeout --signal=INT --kill-after=30 1800 "$venv/bin/python" -B -m pytest "$@"
