#!/usr/bin/env bash
# tools/fuzz.sh FOLDER SECONDS: runs every fuzz target of a build folder for so long, one after the
# other, each on a corpus of its own in FOLDER/corpus. An input that breaks one stays in FOLDER/found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$1
seconds=$2

mapfile -t targets < <(sed -n 's/^contra4_fuzz([a-z]* \([a-z0-9_]*\).*/\1/p' fuzz/CMakeLists.txt)
((${#targets[@]})) || { echo "fuzz: no targets" >&2; exit 1; }
mkdir -p "$folder/found"
status=0
for target in "${targets[@]}"; do
  corpus=$folder/corpus/$target
  mkdir -p "$corpus"
  log=$folder/$target.log
  if "$folder/$target" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 \
      -artifact_prefix="$folder/found/$target-" "$corpus" >"$log" 2>&1; then
    echo "$target: nothing found in $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log") runs"
  else
    status=1
    echo "$target: FAILED, see $log and $folder/found"
  fi
done
exit $status
