#!/usr/bin/env bash
# tools/tidy.sh FOLDER JOBS [FILE...]: clang-tidy over the sources, or over some of them.
# tools/tidy.sh FOLDER JOBS --changed REF: over those that differ from the git commit REF, in
# themselves or in a header that they name; minutes where the whole takes an hour.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$1
jobs=$2
shift 2

changed_since() {
  local headers
  git diff --name-only --diff-filter=d "$1" -- 'src/*.cpp'
  git ls-files --others --exclude-standard -- 'src/*.cpp'
  headers=$(git diff --name-only --diff-filter=d "$1" -- 'src/*.h' | sed 's|^src/\(.*\)|#include "\1"|')
  if [[ -n $headers ]]; then git grep -lF "$headers" -- 'src/*.cpp' || true; fi
}

if [[ ${1-} == --changed ]]; then
  git rev-parse --quiet --verify "${2-}^{commit}" > /dev/null || {
    echo "tidy: '${2-}' names no commit" >&2
    exit 2
  }
  mapfile -t files < <(changed_since "$2" | sort -u)
  if ((${#files[@]} == 0)); then
    echo "tidy: no source differs from $2"
    exit 0
  fi
elif (($# > 0)); then
  files=("$@")
else
  mapfile -t files < <(git ls-files 'src/*.cpp')
fi
# What is not built here, as code for CUDA without CUDA, cannot be read either.
built=()
for file in "${files[@]}"; do
  if grep -qF "\"file\": \"$PWD/$file\"" "$folder/compile_commands.json"; then
    built+=("$file")
  else
    echo "tidy: $file is not built here"
  fi
done
files=("${built[@]}")
if ((${#files[@]} == 0)); then exit 0; fi
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "$jobs" clang-tidy-16 --quiet --warnings-as-errors='*' -p "$folder" 2> \
    >(grep -vE '^[0-9]+ warnings? (generated|treated as errors?)|^Suppressed|^Use -' >&2)
echo "tidy: ${#files[@]} sources are clean"
