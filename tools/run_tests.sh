#!/usr/bin/env bash
# tools/run_tests.sh FOLDER JOBS [CTEST-ARGUMENT...]: runs the tests of a build folder and says in a few
# lines what came out. FOLDER/tests.log has everything, FOLDER/tests.xml the same for machines.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$1
jobs=$2
shift 2

export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
log=$folder/tests.log
progress=()
if [[ -t 1 ]]; then progress=(--progress); fi
# The thread sanitizer makes what counts in a loop a hundred times slower.
timeout=300
if [[ $folder == *tsan ]]; then timeout=1200; fi
status=0
ctest --test-dir "$folder" --parallel "$jobs" --timeout "$timeout" --no-tests=error --output-on-failure \
  --output-junit tests.xml "${progress[@]}" "$@" >"$log" 2>&1 || status=$?
exec .venv/bin/python tools/test_summary.py "$folder" "$status"
