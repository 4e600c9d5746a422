#!/usr/bin/env bash
# npm.sh NAME FOLDER: the packages of FOLDER/package-lock.json; prints the folder that holds their node_modules.
#
# Kept in the cache under the hash of the two files; no install script of a package is run.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/setup/cache.sh
. "$here/cache.sh"

[ $# -eq 2 ] || die "usage: npm.sh NAME FOLDER"
name=$1
folder=$2
for file in package.json package-lock.json; do
  [ -r "$folder/$file" ] || die "$folder/$file cannot be read"
done

build() {
  local dir=$1
  say "$(basename "$dir"): installing the packages of $folder/package-lock.json"
  mkdir -p "$dir"
  cp "$folder/package.json" "$folder/package-lock.json" "$dir"
  "$here/node.sh" npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund --loglevel=error
}

key=$(key_of "$(cat "$folder/package.json" "$folder/package-lock.json")")
install_once "$(cache_dir)/npm/$name-$key" build
