#!/usr/bin/env bash
# Fails when a pure crate sees, however indirectly, an async runtime or an HTTP stack, and when a crate of the workspace is
# in neither list: a new crate has to say what it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pure="fkm-catalog fkm-compile fkm-dialect fkm-llm fkm-snapshot"
impure="fkm-bench fkm-bench-formats fkm-cli fkm-crds fkm-fuzz fkm-matrix fkm-operator fkm-push fkm-sidecar fkm-telemetry fkm-tests fkm-upstream fkm-wire"
# What no pure crate may see. `fkm-crds` brings kube's derive and types, but no client.
forbidden='tokio|tokio-.*|hyper|hyper-.*|tonic|tower|kube-client|kube-runtime|reqwest|async-std|smol'

failed=0
for crate in $pure; do
  seen=$(cargo tree --locked -p "$crate" -e normal --prefix none --format '{p}' | awk '{print $1}' | sort -u)
  [ -n "$seen" ] || { echo "layers: cargo tree shows nothing for $crate"; exit 1; }
  if bad=$(grep -Ex "$forbidden" <<<"$seen"); then
    echo "layers: $crate is pure and must not see:" $bad
    failed=1
  fi
done
# never CRATE FORBIDDEN: the tree of the first holds none of the second.
never() {
  local seen
  seen=$(cargo tree --locked -p "$1" -e normal --prefix none --format '{p}' | awk '{print $1}' | sort -u)
  if bad=$(grep -Ex "$2" <<<"$seen"); then
    echo "layers: $1 must not see:" $bad
    failed=1
  fi
}
never fkm-sidecar 'kube|kube-.*|k8s-openapi|fkm-(crds|compile|catalog|operator)'
never fkm-operator 'fkm-(sidecar|llm|cli)'
members=$(cargo metadata --locked --no-deps --format-version 1 | python3 -c 'import json,sys; print("\n".join(p["name"] for p in json.load(sys.stdin)["packages"]))')
for crate in $members; do
  if ! grep -qw -- "$crate" <<<"$pure $impure"; then
    echo "layers: $crate is new: put it into one of the two lists of $0"
    failed=1
  fi
done
[ "$failed" = 0 ] && echo "layers: $(wc -w <<<"$pure") pure crates see no runtime; all $(wc -w <<<"$members") crates are covered"
exit "$failed"
