#!/usr/bin/env bash
# venv.sh [--no-deps] NAME REQUIREMENTS: a Python environment with exactly these packages; prints its path.
#
# Kept in the cache under the hash of the requirements and of the interpreter: the second call takes no time, and
# another list is another environment. --no-deps: the list is complete, install nothing that it does not name.
set -euo pipefail
# shellcheck source=tests/setup/cache.sh
. "$(dirname "${BASH_SOURCE[0]}")/cache.sh"

options=()
if [ "${1:-}" = --no-deps ]; then
  options+=(--no-deps)
  shift
fi
[ $# -eq 2 ] || die "usage: venv.sh [--no-deps] NAME REQUIREMENTS"
name=$1
requirements=$2
[ -r "$requirements" ] || die "$requirements cannot be read"
python=${PYTHON:-python3}
command -v "$python" >/dev/null || die "$python is not installed; Python 3.10 or later is needed"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
  || die "$("$python" --version) is too old; set PYTHON to a Python 3.10 or later"

# Debian keeps the module that makes environments in a package of its own.
ensure_venv_module() {
  "$python" -c 'import ensurepip, venv' 2>/dev/null && return
  command -v apt-get >/dev/null || die "$python has no venv module; install it (Debian: python3-venv)"
  local root=()
  [ "$(id -u)" -eq 0 ] || root=(sudo)
  say "installing python3-venv"
  "${root[@]}" apt-get update -qq && "${root[@]}" apt-get install -y -qq python3-venv
  "$python" -c 'import ensurepip, venv' || die "$python has no venv module; install it, or set PYTHON to one that has it"
}

build() {
  local dir=$1
  say "$(basename "$dir"): installing $(grep -cvE '^\s*(#|$)' "$requirements") packages of $requirements"
  ensure_venv_module
  "$python" -m venv "$dir"
  # a person sees the downloads; a log does not need them
  [ -t 2 ] || options+=(--quiet)
  "$dir/bin/python" -m pip install --disable-pip-version-check "${options[@]}" -r "$requirements"
}

key=$(key_of "$("$python" -c 'import sys; print(sys.version, sys.base_prefix)')" "${options[*]-}" "$(cat "$requirements")")
install_once "$(cache_dir)/venv/$name-$key" build
