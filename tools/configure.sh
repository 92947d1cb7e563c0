#!/usr/bin/env bash
# Configures build/ or build-PRESET/ once: tools/configure.sh PRESET, where `bench` is
# release with bench/ instead of the tests. Later changes of CMake files are
# noticed by the build itself; this runs CMake again only when the settings changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=$1
[[ $preset == release ]] && folder=build || folder=build-$preset

settings=(-DCONTRA4_SHARED="${CONTRA4_SHARED:+$(realpath -e "$CONTRA4_SHARED")}")
if command -v ccache >/dev/null; then
  # ccache looks into precompiled headers only when it is told that macros and times do not matter.
  settings+=("-DCMAKE_CXX_COMPILER_LAUNCHER=env;CCACHE_SLOPPINESS=pch_defines,time_macros;ccache")
fi

if [[ $preset == bench ]]; then
  preset=release
  settings+=(-B "$folder" -DCONTRA4_BENCH=ON -DCONTRA4_TESTS=OFF)
fi

stamp=$folder/contra4-configure
wanted="$preset ${settings[*]} $(sha256sum <.venv/contra4-setup)"
if [[ -f $folder/build.ninja && -f $stamp && $(<"$stamp") == "$wanted" ]]; then exit 0; fi

mkdir -p "$folder"
rm -f "$stamp"
echo "configure: $folder"
if ! cmake --preset "$preset" "${settings[@]}" >"$folder/configure.log" 2>&1; then
  tail -n 30 "$folder/configure.log" >&2
  exit 1
fi
echo "$wanted" >"$stamp"
