#!/usr/bin/env bash
# run.sh: the quickstart: builds `fkm`, starts a small language model on loopback, serves http://127.0.0.1:4000/v1.
#
#   MODEL=none      no language model, simulated providers only
#   LISTEN=…        another address than 127.0.0.1:4000; likewise ADMIN_LISTEN (4001) and PROBE_LISTEN (4002)
#   OPENAI_API_KEY, ANTHROPIC_API_KEY   real providers, for their own model names
#   FKM=PATH        this `fkm` instead of building one
#
# Runs in the foreground; Ctrl-C ends everything that it started.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

model=${MODEL:-smollm2}
listen=${LISTEN:-127.0.0.1:4000}
probe=${PROBE_LISTEN:-127.0.0.1:4002}
model_pid=''
fkm_pid=''
work=''

say() {
  echo "quickstart: $*" >&2
}

# Ends what was started here, by process id, and removes the copies.
# shellcheck disable=SC2329 # run by the trap
cleanup() {
  trap '' INT TERM
  local pid
  for pid in $fkm_pid $model_pid; do
    kill -TERM "$pid" 2>/dev/null || true
  done
  for pid in $fkm_pid $model_pid; do
    for _ in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || continue 2
      sleep 0.1
    done
    say "process $pid did not end within 10 s; killing it"
    kill -KILL "$pid" 2>/dev/null || true
  done
  [ -z "$work" ] || rm -rf "$work"
}

build_fkm() {
  if [ -n "${FKM:-}" ]; then
    return
  fi
  command -v cargo >/dev/null || { say "cargo is not installed: install Rust first"; exit 1; }
  if ! command -v cc >/dev/null; then
    say "installing a C compiler, which Rust links with"
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" apt-get install -y -qq gcc libc6-dev >&2
  fi
  say "building fkm"
  (cd "$root" && cargo build --locked -p fkm-cli >&2)
  FKM=${CARGO_TARGET_DIR:-$root/target}/debug/fkm
}

# Starts the model server and sets `model_port`.
start_model() {
  local venv line
  venv=$("$root/tests/setup/venv.sh" --no-deps quickstart "$here/requirements.txt")
  say "loading SmolLM2-135M"
  "$venv/bin/python" "$here/model_server.py" >"$work/model.json" &
  model_pid=$!
  for _ in $(seq 600); do
    line=$(cat "$work/model.json")
    [ -z "$line" ] || break
    kill -0 "$model_pid" 2>/dev/null || { say "the model server ended before it was ready"; exit 1; }
    sleep 0.1
  done
  [ -n "$line" ] || { say "the model server was not ready after 60 s"; exit 1; }
  model_port=${line##*:}
  model_port=${model_port%%[!0-9]*}
}

# Fills `$work/manifests` and the `secrets` arguments.
render() {
  mkdir "$work/manifests"
  cp "$here/route.yaml" "$work/manifests"
  if [ "$model" = none ]; then
    cp "$here/pool-simulated.yaml" "$work/manifests"
  else
    start_model
    sed "s/MODEL_PORT/$model_port/" "$here/pool-model.yaml" >"$work/manifests/pool-model.yaml"
  fi
  secrets=()
  if [ -n "${OPENAI_API_KEY:-}" ]; then
    cp "$here/openai.yaml" "$work/manifests"
    secrets+=(--secret quickstart/openai/apiKey=env:OPENAI_API_KEY)
    say "OPENAI_API_KEY is set: gpt-* and the o-series go to OpenAI"
  fi
  if [ -n "${ANTHROPIC_API_KEY:-}" ]; then
    cp "$here/anthropic.yaml" "$work/manifests"
    secrets+=(--secret quickstart/anthropic/apiKey=env:ANTHROPIC_API_KEY)
    say "ANTHROPIC_API_KEY is set: claude-* goes to Anthropic"
  fi
}

wait_ready() {
  local url=http://$probe/readyz
  for _ in $(seq 150); do
    kill -0 "$fkm_pid" 2>/dev/null || { wait "$fkm_pid" || exit $?; exit 1; }
    python3 - "$url" 2>/dev/null <<'PYTHON' && return
import sys, urllib.request
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=1)
PYTHON
    sleep 0.2
  done
  say "$url did not answer within 30 s"
  exit 1
}

invite() {
  cat >&2 <<EOT

Ready. The first provider fails half of the time, and then the second one answers; the header x-fkm-provider says which.
Manifests to play with (a change is live at once): $work/manifests

  curl -sS -D /dev/stderr http://$listen/v1/chat/completions -H 'content-type: application/json' -d '{"model":"smollm2-135m","max_tokens":60,"messages":[{"role":"user","content":"What is Kubernetes?"}]}'

EOT
}

trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
case $model in
  none | smollm2) ;;
  *) say "MODEL=$model is not known; give none, or leave it out for smollm2"; exit 64 ;;
esac
build_fkm
work=$(mktemp -d)
render
"$FKM" dev "$work/manifests" "${secrets[@]}" --listen "$listen" --admin-listen "${ADMIN_LISTEN:-127.0.0.1:4001}" \
  --probe-listen "$probe" &
fkm_pid=$!
wait_ready
invite
# shellcheck disable=SC2086 # the second is empty when there is no model
wait -n $fkm_pid $model_pid && status=0 || status=$?
kill -0 "$fkm_pid" 2>/dev/null && say "the model server ended by itself"
exit "$status"
