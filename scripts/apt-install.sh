#!/bin/sh
# Installs Debian packages without starting what they bring: apt-install.sh PACKAGE[:SERVICE]...
# Debian starts a package's service as soon as it is installed, on its usual port. Skerry runs its own servers, so each SERVICE is
# masked first and no start is allowed meanwhile. To run one later: systemctl unmask SERVICE.
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
made_policy=no
log=$(mktemp)
cleanup() {
  [ "$made_policy" = no ] || rm -f "$policy"
  rm -f "$log"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mask() {
  unit=/etc/systemd/system/$1.service
  [ -e "$unit" ] || [ -L "$unit" ] && return
  if [ -d /run/systemd/system ]; then
    systemctl mask --quiet "$1.service" 2>/dev/null
  else
    mkdir -p /etc/systemd/system
    ln -s /dev/null "$unit"
  fi
}

forbid_starts() {
  [ -e "$policy" ] && return
  printf '#!/bin/sh\n# Made by the set-up of Skerry while it installs packages, and removed afterwards.\nexit 101\n' >"$policy"
  made_policy=yes
  chmod 755 "$policy"
}

quietly() { "$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; return 1; }; }

update() {
  printf 'skerry: reading the lists of packages …\n' >&2
  quietly apt-get -o DPkg::Lock::Timeout=120 -qq update
}

have_candidates() {
  for each; do
    apt-cache policy "$each" 2>/dev/null | grep -q 'Candidate: [^(]' || return 1
  done
}

install() {
  apt-get -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 -qq -y --no-install-recommends install "$@" >"$log" 2>&1 </dev/null
}

packages=
for each; do
  packages="$packages ${each%%:*}"
  case $each in *:*) mask "${each#*:}" ;; esac
done
forbid_starts

# shellcheck disable=SC2086 # a list of names
{
  updated=no
  if ! have_candidates $packages; then
    update && updated=yes
  fi
  have_candidates $packages || { printf 'skerry: this system has no package for one of:%s\n' "$packages" >&2; exit 1; }
  # A list of packages that is out of date names versions that are gone.
  install $packages || { [ "$updated" = no ] && update && install $packages; } || { cat "$log" >&2; exit 1; }
}
