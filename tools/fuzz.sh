#!/usr/bin/env bash
# tools/fuzz.sh FOLDER SECONDS JOBS [TARGET...]: runs the fuzz targets of a build folder, or some, for
# so long each, so many side by side. Each has a corpus of its own in FOLDER/corpus, begun with the
# files of its SEEDS in fuzz/CMakeLists.txt. An input that breaks one stays in FOLDER/found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export FOLDER=$1 SECONDS_EACH=$2
jobs=$3
shift 3

fuzz() { # TARGET
  local corpus=$FOLDER/corpus/$1 log=$FOLDER/$1.log seeds
  mkdir -p "$corpus"
  read -ra seeds < <(sed -n "s/^contra4_fuzz([a-z_]* $1 SEEDS \(.*\))\$/\1/p" fuzz/CMakeLists.txt) || true
  if "$FOLDER/$1" -max_total_time="$SECONDS_EACH" -rss_limit_mb=2048 -timeout=20 \
      -artifact_prefix="$FOLDER/found/$1-" "$corpus" ${seeds[@]+"${seeds[@]}"} >"$log" 2>&1; then
    echo "$1: nothing found in $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log") runs"
  else
    echo "$1: FAILED, see $log and $FOLDER/found"
    return 1
  fi
}
export -f fuzz

mapfile -t targets < <(sed -n 's/^contra4_fuzz([a-z_]* \([a-z0-9_]*\).*/\1/p' fuzz/CMakeLists.txt)
if (($# > 0)); then targets=("$@"); fi
((${#targets[@]})) || { echo "fuzz: no targets" >&2; exit 1; }
mkdir -p "$FOLDER/found"
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P "$jobs" bash -c 'fuzz "$1"' fuzz
