#!/usr/bin/env bash
# The main job on embedded defaults: evaluates what needs neither key nor server on the Contra4 test
# set, prints the leaderboard and the paired differences, and says where the reports are.
#
# Settings, from the environment:
#   CONTRA4_RELEASE=DIR  folder with the released test.json and val.json
#   CONTRA4_CACHE=DIR    where a download is kept (default ~/.cache/contra4)
#   CONTRA4_OFFLINE=1    do not try to download
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The authors' repository at the revision that the checksums belong to.
readonly URL=https://raw.githubusercontent.com/artemisp/contra4-fork/8492529137ad096d39022175cfe4c1d550b69fad/data/final_data
readonly TEST_SHA256=061aef069e1e35cefed6a500f6f52b54d8854ff2c4c5ca483c51331a5da51f4d
readonly VAL_SHA256=be15d65794d8874496da19f0f69fe6d80fbf68c74ffc0c960c2a8394d66c079e

say() { printf '%s\n' "$*" >&2; }
has_sum() { [[ -f $1 ]] && sha256sum --check --status <<<"$2  $1"; }

# download NAME SHA256 FOLDER: leaves the file only when its sum is right.
download() {
  local file=$3/$1 part
  has_sum "$file" "$2" && return 0
  [[ -z ${CONTRA4_OFFLINE:-} ]] || return 1
  mkdir -p "$3"
  part=$(mktemp "$file.XXXXXX")
  if curl --fail --silent --location --connect-timeout 5 --max-time 120 --output "$part" "$URL/$1" &&
      has_sum "$part" "$2"; then
    mv "$part" "$file"
    return 0
  fi
  rm -f "$part"
  return 1
}

cache=${CONTRA4_CACHE:-${XDG_CACHE_HOME:-${HOME:-.}/.cache}/contra4}/release
if [[ -n ${CONTRA4_RELEASE:-} ]]; then
  sets=$CONTRA4_RELEASE
  for name in test val; do
    [[ -f $sets/$name.json ]] || { say "demo: CONTRA4_RELEASE=$sets: no $name.json in it"; exit 1; }
  done
  runs=runs/demo
elif download test.json "$TEST_SHA256" "$cache" && download val.json "$VAL_SHA256" "$cache"; then
  sets=$cache
  runs=runs/demo
else
  sets=data/mini
  runs=runs/demo-mini
  say "demo: the released sets could not be downloaded; this runs on the small set of the project,"
  say "      data/mini. For the real one: make demo CONTRA4_RELEASE=FOLDER (test.json, val.json)"
fi

# Blind rules always; the embedding model where the torch half is built and its weights are here.
models=(blind/longest-caption blind/modality-prior)
[[ -f build/libcontra4_torch.so ]] && models+=(embed/minilm)

folders=()
for model in "${models[@]}"; do
  folder=$runs/${model//\//-}
  build/contra4 evaluate --dataset "$sets/test.json" --fit "$sets/val.json" --model "$model" \
    --input oracle-captions --output "$folder" --quiet >/dev/null
  folders+=("$folder")
done

build/contra4 score --dataset "$sets/test.json" --fit "$sets/val.json" --predictions "${folders[@]}"
build/contra4 score --dataset "$sets/test.json" --fit "$sets/val.json" --predictions "${folders[@]}" \
  --format markdown --output "$runs/leaderboard.md"
echo
build/contra4 compare "${folders[@]}"

# And a data set from captions, with rules and embeddings in place of language models.
made=()
if [[ -f build/libcontra4_torch.so ]]; then
  echo
  echo "A data set made from the captions of data/mini, without any server:"
  build/contra4 pipeline data/mini/pipeline.yaml --output-dir runs/demo-made --quiet
  made=("Card of the made set:   runs/demo-made/dataset/README.md")
  echo
  echo "Three of its questions:"
  .venv/bin/python - runs/demo-made/dataset/test.jsonl <<'PYTHON'
import json, sys

with open(sys.argv[1], encoding="utf-8") as file:
    rows = [json.loads(line) for line in file]
for row in rows[:: max(1, len(rows) // 3)][:3]:
    print(f"  {row['question']}")
    for letter, modality, scene in zip("ABCD", row["modalities"], row["examples"]):
        mark = "*" if row["gt_answer"].removeprefix("Scene ").startswith(letter) else " "
        print(f"  {mark} {letter}  {modality:6} {scene['caption']}")
PYTHON
fi
cat <<END

Leaderboard as a page:  $runs/leaderboard.md
One report per model:   $(printf '%s ' "${folders[@]/%//report.md}")
${made[*]}
Your own model:         build/contra4 evaluate --dataset $sets/test.json --fit $sets/val.json \\
                          --model openai/NAME --base-url http://localhost:8000/v1 --input oracle-captions
END
