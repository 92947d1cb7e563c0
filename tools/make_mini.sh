#!/usr/bin/env bash
# Draws data/mini again, in a virtual environment of its own: tools/make_mini.sh [FOLDER].
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/versions.sh

tools/setup.sh packages MINI
if [[ ! -f .venv-mini/done || $(<.venv-mini/done) != "${MINI_REQUIREMENTS[*]}" ]]; then
  /usr/bin/env python3 -m venv --clear .venv-mini
  .venv-mini/bin/python -m pip install -qq ${CONTRA4_PIP_INDEX:+--index-url "$CONTRA4_PIP_INDEX"} \
    "${MINI_REQUIREMENTS[@]}"
  echo "${MINI_REQUIREMENTS[*]}" >.venv-mini/done
fi
exec .venv-mini/bin/python tools/make_mini.py "${1:-data/mini}"
