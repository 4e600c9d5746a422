#!/usr/bin/env bash
# run.sh [PYTEST-ARGUMENT...]: the SDK conformance suite against the sidecar of FKM_SIDECAR and the `fkm` of FKM (default:
# debug builds of this tree). Installs what is missing into the cache. `--direct` runs it against the upstreams alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

case " $* " in
  *" --direct "*) ;;
  *)
    built=${CARGO_TARGET_DIR:-$root/target}/debug
    if [ -z "${FKM_SIDECAR:-}" ]; then
      (cd "$root" && cargo build --locked -p fkm-sidecar >&2)
      FKM_SIDECAR=$built/fkm-sidecar
    fi
    if [ -z "${FKM:-}" ]; then
      (cd "$root" && cargo build --locked -p fkm-cli >&2)
      FKM=$built/fkm
    fi
    export FKM_SIDECAR FKM
    ;;
esac
venv=$("$root/tests/setup/venv.sh" conformance "$here/requirements.txt")
cd "$here"
exec timeout --signal=INT --kill-after=30 1200 "$venv/bin/python" -B -m pytest "$@"
