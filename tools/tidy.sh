#!/usr/bin/env bash
# tools/tidy.sh FOLDER JOBS [FILE...]: clang-tidy over the sources, or over some of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$1
jobs=$2
shift 2

files=("$@")
if ((${#files[@]} == 0)); then mapfile -t files < <(git ls-files 'src/*.cpp'); fi
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "$jobs" clang-tidy-16 --quiet --warnings-as-errors='*' -p "$folder" 2> \
    >(grep -vE '^[0-9]+ warnings? (generated|treated as errors?)|^Suppressed|^Use -' >&2)
echo "tidy: ${#files[@]} sources are clean"
