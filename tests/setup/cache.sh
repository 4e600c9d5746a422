# Where the setup scripts keep what they install, and how they do it once. Sourced, not run.
# shellcheck shell=bash

# Prints the cache folder, outside the tree.
cache_dir() {
  echo "${FKM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/flux-kontext-max}"
}

# Tells a person what goes on; stdout belongs to the result.
say() {
  echo "setup: $*" >&2
}

die() {
  say "$@"
  exit 1
}

# Twelve hex digits that change with any of the given lines.
key_of() {
  printf '%s\n' "$@" | sha256sum | cut -c1-12
}

# install_once DIR COMMAND...: runs COMMAND DIR unless an earlier run of it was completed; prints DIR.
# One at a time for each DIR. An interrupted one leaves no marker, and the next starts afresh. Call it as a plain command:
# behind `||` or `if`, bash would go on after a failed step.
install_once() {
  local dir=$1
  shift
  mkdir -p "$(dirname "$dir")"
  (
    flock 9
    if [ ! -e "$dir/.complete" ]; then
      rm -rf "$dir"
      local started=$SECONDS
      "$@" "$dir" >&2
      touch "$dir/.complete"
      say "$(basename "$dir"): done in $((SECONDS - started)) s"
    fi
  ) 9>"$dir.lock"
  echo "$dir"
}
