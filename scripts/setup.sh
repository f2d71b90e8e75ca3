# What the demo and the tests need, made ready on a fresh machine. Sourced by demo.sh and test.sh; says one line per step on
# standard error and nothing when there is nothing to do. Downloads come from the npm registry and the system's packages only.

# Debian keeps servers in sbin, which is not on every user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

say() { printf 'skerry: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

has() { command -v "$1" >/dev/null 2>&1; }

# at_least FOUND WANTED: compares major.minor.
at_least() {
  found_major=${1%%.*} found_rest=${1#*.} wanted_major=${2%%.*} wanted_minor=${2#*.}
  found_minor=${found_rest%%.*}
  [ "$found_major" -gt "$wanted_major" ] || { [ "$found_major" -eq "$wanted_major" ] && [ "$found_minor" -ge "$wanted_minor" ]; }
}

check_node() {
  has node && has npm || die 'Node.js 20.19 or newer, with npm, is needed and was not found. Debian 13 has both: apt-get install nodejs npm.'
  version=$(node -p process.versions.node)
  at_least "$version" 20.19 || die "Node.js $version is too old: 20.19 or newer is needed. Debian 13 has it; for other systems see nodejs.org."
}

# One number for a set of files: their names and contents.
mark_of() { find "$@" -type f 2>/dev/null | LC_ALL=C sort | xargs cksum | cksum; }

# --- npm packages -----------------------------------------------------------------------------------------------------------

npm_mark() { printf '%s %s %s\n' "$(cksum <package-lock.json)" "$(uname -m)" "$(node -p process.versions.modules)"; }

install_npm_packages() {
  stamp=node_modules/.skerry-installed
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(npm_mark)" ] && return
  # Somebody ran npm by hand, after the lock file was last changed: npm writes its own copy of the lock last of all.
  if [ ! -f "$stamp" ] && [ node_modules/.package-lock.json -nt package-lock.json ]; then
    npm_mark >"$stamp"
    return
  fi
  say 'installing npm packages …'
  npm ci --no-audit --no-fund --loglevel=error >/dev/null || die 'npm ci failed; its message is above.'
  npm_mark >"$stamp"
}

# --- system packages --------------------------------------------------------------------------------------------------------

# install_packages WHAT PACKAGE[:SERVICE]...: WHAT is the sentence for who cannot install.
install_packages() {
  what=$1
  shift
  has apt-get || die "$what is needed and was not found, and this system has no apt-get. Install it so that it is on PATH, then start again."
  if [ "$(id -u)" -eq 0 ]; then
    as_root=
  elif has sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=sudo
  else
    die "$what is needed and was not found, and only root may install it. As root: sh $(pwd)/scripts/apt-install.sh $*"
  fi
  say "installing $what from the system's packages …"
  $as_root sh scripts/apt-install.sh "$@" >&2 || die "$what could not be installed; the message is above."
}

install_nats_server() {
  has nats-server || install_packages 'nats-server (2.9 or newer)' nats-server:nats-server
}

# --- the program ------------------------------------------------------------------------------------------------------------

program_mark() { mark_of src broker simulator examples scripts/bundle.mjs package.json package-lock.json; }

build_examples() { node_modules/.bin/esbuild examples/*.ts --outdir=dist/examples --format=esm --platform=node --log-level=warning; }

build_program() {
  stamp=dist/bundle/.built
  mark=$(program_mark)
  [ -f dist/bundle/skerry.js ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$mark" ] && return
  say 'building …'
  { node scripts/bundle.mjs && build_examples; } >&2 || die 'the build failed; its message is above.'
  printf '%s\n' "$mark" >"$stamp"
}
