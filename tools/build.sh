#!/usr/bin/env bash
# tools/build.sh FOLDER JOBS [TARGET...]: builds quietly; a failure shows the compiler's words.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$1
jobs=$2
shift 2

if [[ -t 1 ]]; then
  exec ninja -C "$folder" -j "$jobs" "$@" # draws its progress on one line
fi
if [[ ! -f $folder/build.log ]]; then
  echo "build: $folder (the first time a quarter of an hour and more on two cores; $folder/build.log shows where it is)"
fi
if ! ninja -C "$folder" -j "$jobs" "$@" >"$folder/build.log" 2>&1; then
  grep -v '^\[[0-9]*/[0-9]*\]' "$folder/build.log" | tail -n 60 >&2 || true
  echo "build: failed; everything is in $folder/build.log" >&2
  exit 1
fi
echo "build: $folder is up to date"
