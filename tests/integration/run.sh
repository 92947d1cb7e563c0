#!/usr/bin/env bash
# Runs contra4 against a server of others and the clients of others against our loopback server. Needs
# pip packages (in .venv-integration, fetched once) but no network, key or download while it runs.
#
#   tests/integration/run.sh [NAME...]     official_clients, transformers_serve, dataset_folder, engine, tensorboard
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tools/versions.sh

venv=.venv-integration
torch=${CONTRA4_TORCH:-$DEFAULT_CONTRA4_TORCH}
wanted="$torch ${INTEGRATION_REQUIREMENTS[*]}"
if [[ ! -f $venv/done || $(<"$venv/done") != "$wanted" ]]; then
  echo "integration: filling $venv with $wanted"
  .venv/bin/python -m venv --clear "$venv"
  index=${CONTRA4_TORCH_INDEX:-${CONTRA4_PIP_INDEX:-}}
  "$venv/bin/python" -m pip install -qq ${index:+--index-url "$index"} "$torch"
  "$venv/bin/python" -m pip install -qq ${CONTRA4_PIP_INDEX:+--index-url "$CONTRA4_PIP_INDEX"} \
    "${INTEGRATION_REQUIREMENTS[@]}"
  echo "$wanted" >"$venv/done"
fi

tools/build.sh build "$(nproc)" contra4 contra4_loopback_server train_event_file_test
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1 no_proxy=127.0.0.1,localhost
tests=("$@")
((${#tests[@]})) || tests=(official_clients transformers_serve dataset_folder engine tensorboard)
for name in "${tests[@]}"; do
  echo "integration: $name"
  "$venv/bin/python" "tests/integration/${name}_test.py"
done
