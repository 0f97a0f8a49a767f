#!/usr/bin/env bash
# setup.sh: makes this checkout ready to run on Debian 12 or Raspberry Pi OS, and is quick when it already is.
#
#   provisioning/setup.sh run     what broker, hub and agents need
#   provisioning/setup.sh test    the same, and what the tests and linters need
#   provisioning/setup.sh bench   the same, and the peers that the benchmarks run against
#   provisioning/setup.sh lock    writes requirements/*.lock and package-lock.json anew
#
# Python packages come by hash from requirements/*.lock, front-end libraries by integrity from package-lock.json,
# the rest from the distribution (asked for only when missing; needs root or sudo then).
set -euo pipefail
cd "$(dirname "$0")/.."
want=${1:-run}
# One set-up at a time in one checkout.
exec 9<provisioning/setup.sh
flock 9
say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }

python=$(command -v python3 || true)
[ -n "$python" ] || fail "python3 is missing: apt-get install python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "Python 3.11 or later is needed, found $("$python" -V 2>&1)"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; return; fi
  command -v sudo >/dev/null || fail "needs root or sudo for: $*"
  sudo "$@"
}

# Debian packages: the ones that are not installed yet.
debian() {
  command -v dpkg-query >/dev/null || fail "needs Debian 12 or Raspberry Pi OS (dpkg was not found)"
  local missing=() name
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

packages=(ca-certificates fonts-ipaexfont-gothic libusb-1.0-0 mosquitto)
"$python" -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
if [ "$want" != run ]; then
  packages+=(chromium dbus espeak-ng fonts-noto-cjk gcc git iproute2 libc6-dev libfaketime libpcsclite-dev linux-libc-dev nftables pcscd procps strace swig vsmartcard-vpcd)
  # The Wi-Fi, tried in network namespaces.
  packages+=(busybox conntrack curl dnsmasq-base freeradius freeradius-rest freeradius-utils hostapd iperf3 tcpdump udhcpc wpasupplicant)
  # pyscard and evdev have no Linux wheels and need the headers of the Python that builds them.
  "$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
    packages+=(python3-dev)
fi
debian "${packages[@]}"

lock=requirements/run.lock
[ "$want" = test ] && lock=requirements/dev.lock
[ "$want" = bench ] && lock=requirements/bench.lock

venv() {
  "$python" -m venv .venv
  .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/installer.lock
}
# Whole, and made here: its scripts name the folder that it was made in, and the Python may have gone since.
whole() {
  [ -x .venv/bin/uv ] && .venv/bin/python -c '' 2>/dev/null && grep -qsF "$PWD/.venv/bin/python" .venv/bin/pip
}
whole || { say "making .venv"; rm -rf .venv .setup; venv; }
mkdir -p .setup
uv=.venv/bin/uv
export VIRTUAL_ENV=$PWD/.venv UV_SYSTEM_CERTS=1 UV_NO_CONFIG=1

if [ "$want" = lock ]; then
  compile() { "$uv" pip compile --universal --generate-hashes --quiet --no-header --no-annotate --python-version 3.11 "$@"; }
  cd requirements
  uv=../$uv
  compile installer.in -o installer.lock
  compile nodejs.in -o nodejs.lock
  compile ../pyproject.toml --extra edge -o edge.lock
  compile ../pyproject.toml --extra edge --extra hub --extra provisioning -o run.lock
  compile ../pyproject.toml --extra dev --extra pcsc --extra wedge -o dev.lock
  compile ../pyproject.toml --extra dev --extra bench --extra pcsc --extra wedge -o bench.lock
  compile openwisp.in -o openwisp.lock
  cd ..
  npm install --package-lock-only
  exit
fi

# Python packages; the stamp holds what is installed, and a smaller wish than what is there does nothing.
stamp=$(cat requirements/*.lock pyproject.toml | sha256sum | cut -d' ' -f1)
have() { [ -e ".setup/python-$1" ] && [ "$(cat ".setup/python-$1")" = "$stamp" ]; }
ready() {
  case $want in
    run) have run || have test || have bench ;;
    test) have test || have bench ;;
    bench) have bench ;;
  esac
}
if ! ready; then
  say "installing Python packages from $lock"
  "$uv" pip install --quiet --require-hashes -r requirements/installer.lock -r "$lock"
  "$uv" pip install --quiet --no-deps -e .
  echo "$stamp" > ".setup/python-$want"
fi

# openwisp-radius, which the hub is measured against: in a folder of its own, and never where the tests run.
if [ "$want" = bench ]; then
  peer=$(sha256sum requirements/openwisp.lock | cut -d' ' -f1)
  if [ "$(cat .setup/openwisp.stamp 2>/dev/null || true)" != "$peer" ]; then
    say "installing openwisp-radius for the benchmarks"
    rm -rf .setup/openwisp
    "$python" -m venv --without-pip .setup/openwisp
    "$uv" pip install --quiet --python .setup/openwisp/bin/python --require-hashes -r requirements/openwisp.lock
    echo "$peer" > .setup/openwisp.stamp
  fi
fi

# Front-end libraries: npm ci, then the few files that pages load.
front() { cat package-lock.json provisioning/vendor.py | sha256sum | cut -d' ' -f1; }
if [ "$(cat .setup/front 2>/dev/null || true)" != "$(front)" ] || [ ! -e hub/static/vendor ]; then
  npm=$(command -v npm || true)
  if [ -z "$npm" ]; then
    say "installing Node.js for set-up (no npm was found)"
    "$uv" pip install --quiet --require-hashes -r requirements/nodejs.lock
    npm=$PWD/.venv/bin/npm
    export PATH=$PWD/.venv/bin:$PATH
  fi
  say "installing front-end libraries"
  "$npm" ci --silent --ignore-scripts
  .venv/bin/python provisioning/vendor.py
  front > .setup/front
fi
