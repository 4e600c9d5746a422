#!/usr/bin/env bash
# Runs every test and closes with counts. A part that needs ../shared is counted as skipped where that is missing; any
# other skip is a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "tests: $*" >&2; }
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
passed=0 failed=0 skipped=0 broken=()

# Adds the counts of one part: name, exit status, passed, failed, skipped.
count() {
  local name=$1 status=$2
  passed=$((passed + $3)) failed=$((failed + $4)) skipped=$((skipped + $5))
  say "$name: $3 passed, $4 failed, $5 skipped"
  if [ "$status" -ne 0 ] || [ "$3" -eq 0 ]; then broken+=("$name"); fi
}

# The number before a word in a line, 0 when it is not there.
number() { grep -oE "[0-9]+ $2" <<<"$1" | tail -n 1 | grep -oE '^[0-9]+' || echo 0; }

export FKM_SKIPS=$log/skips
: >"$FKM_SKIPS"

say "preparing: test tools, Kubernetes binaries"
tools=$(tests/setup/venv.sh tools tests/setup/tools.txt)
assets=$(tests/cluster/build.sh)
say "Kubernetes binaries: $assets"

say "building"
cargo build --locked --workspace --bins --quiet

say "Rust: unit, property, golden, process and cluster tests"
status=0
PATH="$tools/bin:$PATH" cargo nextest run --locked --workspace --no-fail-fast 2>&1 | tee "$log/nextest" || status=$?
line=$(grep -E '^ *Summary ' "$log/nextest" | tail -n 1 || true)
shared=$(wc -l <"$FKM_SKIPS")
count "cargo nextest" "$status" $(($(number "$line" passed) - shared)) "$(number "$line" failed)" $(($(number "$line" skipped) + shared))
if [ "$(number "$line" skipped)" -ne 0 ]; then broken+=("tests that are ignored"); fi

say "Rust: examples in the documentation"
status=0
cargo test --locked --workspace --doc --quiet 2>&1 | tee "$log/doc" || status=$?
[ "$status" -eq 0 ] || broken+=("doc tests")

say "Python: official SDKs against the sidecar"
status=0
tests/conformance/run.sh 2>&1 | tee "$log/pytest" || status=$?
line=$(grep -E '[0-9]+ (passed|failed|skipped|error)' "$log/pytest" | tail -n 1 || true)
count "conformance" "$status" "$(number "$line" passed)" $(($(number "$line" failed) + $(number "$line" 'error'))) "$(number "$line" skipped)"

say "Python: official SDKs on the wire formats"
status=0
tests/formats/run.sh 2>&1 | tee "$log/formats" || status=$?
line=$(grep -E '[0-9]+ (passed|failed|skipped|error)' "$log/formats" | tail -n 1 || true)
count "formats" "$status" "$(number "$line" passed)" $(($(number "$line" failed) + $(number "$line" 'error'))) "$(number "$line" skipped)"

if [ ! -d ../shared ]; then
  say "../shared is not here: the parts that need recorded traffic were skipped"
elif [ "$skipped" -ne 0 ]; then
  broken+=("skipped although ../shared is here")
fi
for part in "${broken[@]}"; do say "FAILED: $part"; done
echo "$passed passed, $((failed + (${#broken[@]} > 0 && failed == 0 ? 1 : 0))) failed, $skipped skipped"
[ "${#broken[@]}" -eq 0 ] && [ "$failed" -eq 0 ]
