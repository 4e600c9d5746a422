#!/usr/bin/env bash
# The real control plane for tests: builds the programs named in tools/go.mod, once per machine, and sees to it that
# there is an etcd. Prints the folder of the programs as the only line on stdout; progress goes to stderr.
#
#   KUBEBUILDER_ASSETS  a folder that already holds kube-apiserver: used as it is, nothing is built
#   FKM_CACHE           where the programs are kept (default: flux-kontext-max in the user's cache folder)

set -euo pipefail

readonly tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/tools"
readonly usual="4 to 6 minutes on 2 cores, 4 GB of disk, the first time only"

say() { printf 'cluster: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# Runs as root: directly, or through sudo when that asks for no password.
as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

have_etcd() { [[ -x "${1:-}/etcd" ]] || command -v etcd >/dev/null || [[ -x /usr/bin/etcd ]]; }

install_etcd() {
  local -a install=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0)
  install+=(install --no-install-recommends etcd-server)
  command -v apt-get >/dev/null || die "no etcd on PATH; install etcd 3.4 or newer"
  say "installing etcd-server (about 10 s; the program only, no service is started)"
  # The package would start a service with its own data; a policy of "never" (101) keeps it from doing so.
  local policy=/usr/sbin/policy-rc.d made=
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy" && made=1
  fi
  local failed=
  as_root "${install[@]}" >&2 || { as_root apt-get -qq update >&2 && as_root "${install[@]}" >&2; } || failed=1
  [[ -z $made ]] || as_root rm -f "$policy"
  # Nor at the next boot.
  ! command -v systemctl >/dev/null || as_root systemctl disable etcd >/dev/null 2>&1 || true
  [[ -z $failed ]] || die "etcd-server cannot be installed; put an etcd 3.4 or newer on PATH"
}

# Compiles every tool of tools/go.mod into the folder $1, telling how far it is twice a minute.
compile() {
  local into=$1 version=$2 started=$SECONDS next=30
  local log="$into/build.log" stamp=k8s.io/component-base/version
  IFS=. read -r major minor _ <<<"${version#v}"
  # Without the stamp the server reports v0.0.0-master, which charts with a `kubeVersion` refuse.
  (
    cd "$tools"
    CGO_ENABLED=0 exec go build -v -mod=readonly -buildvcs=false -trimpath -o "$into/" -ldflags "-s -w \
      -X $stamp.gitVersion=$version -X $stamp.gitMajor=$major -X $stamp.gitMinor=$minor \
      -X $stamp.gitTreeState=clean" tool
  ) >"$log" 2>&1 &
  build_pid=$!
  while kill -0 "$build_pid" 2>/dev/null; do
    sleep 1
    ((SECONDS - started >= next)) || continue
    next=$((next + 30))
    say "  $((SECONDS - started)) s: $(grep -vc '^go: ' "$log" || true) packages compiled"
  done
  if ! wait "$build_pid"; then
    grep -v '^go: downloading' "$log" | tail -n 30 >&2
    die "the build failed after $((SECONDS - started)) s"
  fi
  build_pid=
  rm -f "$log"
  say "built in $((SECONDS - started)) s"
}

version=$(awk '$1 == "require" && $2 == "k8s.io/kubernetes" { print $3 } $1 == "k8s.io/kubernetes" { print $2 }' \
  "$tools/go.mod" | head -n 1)
# go.mod counts too: it names the programs, and adding one need not change go.sum.
hash=$(cat "$tools/go.mod" "$tools/go.sum" | sha256sum | cut -c 1-12)
root="${FKM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/flux-kontext-max}/kubernetes"
folder="$root/$version-$hash"
assets=
if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
  [[ -x $KUBEBUILDER_ASSETS/kube-apiserver ]] || die "KUBEBUILDER_ASSETS holds no kube-apiserver: $KUBEBUILDER_ASSETS"
  assets=$KUBEBUILDER_ASSETS
elif [[ -d $folder ]]; then
  assets=$folder
fi
if [[ -n $assets ]] && have_etcd "$assets"; then
  printf '%s\n' "$assets"
  exit
fi

# From here on one at a time: test binaries run side by side and each of them asks.
mkdir -p "$root"
exec 9>"$root/.lock"
if ! flock -n 9; then
  say "another build of the control plane is running, waiting for it ($usual)"
  flock 9
fi
have_etcd "$assets" || install_etcd
if [[ -z $assets && ! -d $folder ]]; then
  command -v go >/dev/null || die "building the control plane needs Go 1.26 or newer on PATH"
  # Left by a build that was killed: nobody else is at work, the lock is ours.
  rm -rf "$root"/.building-*
  building=$(mktemp -d "$root/.building-XXXXXX")
  build_pid=
  trap '[[ -z $build_pid ]] || kill "$build_pid" 2>/dev/null; rm -rf "$building"' EXIT
  trap 'exit 130' INT TERM
  say "building Kubernetes $version for tests ($usual)"
  compile "$building" "$version"
  # Whole or not at all: the folder gets its name only when it is complete.
  chmod 755 "$building"
  mv "$building" "$folder"
fi
printf '%s\n' "${assets:-$folder}"
