#!/usr/bin/env bash
# run.sh [SECONDS] [TARGET...]: libFuzzer on every entry point (or those named), SECONDS each (default 20). Finds are kept in
# the cache with the corpus, and end this with a failure. Where the toolchain cannot build libFuzzer it says so aloud and
# checks nothing; the property tests of the same entry points run everywhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-20}
shift || true
cache=${FKM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/flux-kontext-max}/fuzz
say() { echo "fuzz: $*" >&2; }

if ! command -v c++ >/dev/null; then
  say "SKIPPED ALOUD: no C++ compiler, so libFuzzer cannot be built"
  exit 0
fi
mkdir -p "$cache"
# The instrumentation that libFuzzer reads: stable flags, no sanitizer (the crates forbid unsafe code).
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
flags="$flags -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
flags="$flags -Cdebug-assertions -Coverflow-checks --cfg fuzzing"
host=$(rustc -vV | sed -n 's/^host: //p')
build=$cache/target
# `--target` keeps the flags away from build scripts.
if ! RUSTFLAGS="$flags" CARGO_TARGET_DIR=$build cargo build --locked --release --target "$host" -p fkm-fuzz \
  --features libfuzzer --config 'profile.release.lto="off"' --config 'profile.release.codegen-units=16' 2>"$cache/build.log"; then
  tail -n 5 "$cache/build.log" >&2
  say "SKIPPED ALOUD: this toolchain does not build libFuzzer's instrumentation; see $cache/build.log"
  exit 0
fi
binary=$build/$host/release/fkm-fuzz
if [ $# -eq 0 ]; then
  mapfile -t targets < <(cargo run --locked -q -p fkm-fuzz --example targets)
else
  targets=("$@")
fi
rm -rf "$cache/seeds"
mkdir "$cache/seeds"
cargo run --locked -q -p fkm-fuzz --example targets -- "$cache/seeds"
failed=()
for target in "${targets[@]}"; do
  corpus=$cache/corpus/$target
  mkdir -p "$corpus" "$cache/finds"
  cp "$cache"/seeds/* "$corpus"
  if FKM_FUZZ_TARGET=$target "$binary" -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=1024 -timeout=5 \
    -print_final_stats=1 -artifact_prefix="$cache/finds/$target-" "$corpus" >"$cache/$target.log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$cache/$target.log")
    say "$target: ${runs:-?} inputs, $(find "$corpus" -type f | wc -l) kept, nothing found"
  else
    say "$target: FAILED"
    grep -E 'panicked|assert|ERROR|SUMMARY' -A2 "$cache/$target.log" | head -n 8 >&2
    failed+=("$target")
  fi
done
say "${#targets[@]} entry points, $seconds s each, ${#failed[@]} failed"
[ ${#failed[@]} -eq 0 ]
