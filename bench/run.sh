#!/usr/bin/env bash
# bench/run.sh BUILD: every figure of docs/benchmarks.md, one after the other on an otherwise idle machine.
# CONTRA4_SHARED=DIR gives the released test set and the corpora; without it data/mini stands in. The published code
# of OneLLM is timed where CONTRA4_ONELLM, CONTRA4_ONELLM_SCRIPT and CONTRA4_FINETUNE_SCRIPT name it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=$1
dataset=()
corpora=()
if [[ -n ${CONTRA4_SHARED:-} ]]; then
  dataset=(--dataset "$CONTRA4_SHARED/contra4/release/test.json")
  corpora=(--corpora "$CONTRA4_SHARED/contra4/corpora")
fi

echo "== start-up and scoring"
bench/startup.sh "$build" "${dataset[@]}"
echo "== dataset check"
.venv/bin/python bench/dataset_check.py --program "$build/contra4" "${dataset[@]}"
echo "== requests"
.venv/bin/python bench/requests.py "$build"
echo "== embedding"
.venv/bin/python bench/embed.py "$build" "${corpora[@]}"
echo "== similarity search"
bench/search.py "$build"
echo "== verify"
.venv/bin/python bench/verify.py "$build"
echo "== filter and balance"
if [[ -n ${CONTRA4_SHARED:-} ]]; then
  bench/filter.py --program "$build/contra4" --answers "$CONTRA4_SHARED/goldens/generation/step4"
else
  echo "skipped: needs CONTRA4_SHARED, the answers of three models"
fi
echo "== OneLLM: products"
checkpoint=$(mktemp -d)/middle
.venv/bin/python tools/make_onellm.py "$checkpoint" --size middle
for type in float32 bf16; do "$build/onellm_bench" "$checkpoint" "$type" "$(nproc)"; done
echo "== OneLLM: evaluation"
bench/onellm.py --program "$build/contra4" --checkpoint "$checkpoint"
echo "== OneLLM: fine-tuning"
bench/finetune.py --program "$build/contra4" --checkpoint "$checkpoint"
bench/finetune.py --program "$build/contra4" --checkpoint "$checkpoint" --scaling
rm -r "$(dirname "$checkpoint")"
