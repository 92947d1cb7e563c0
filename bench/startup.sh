#!/usr/bin/env bash
# Start-up and scoring times: bench/startup.sh [FOLDER OF THE BUILD] [further flags of startup.py].
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-build}
shift || true
exec python3 bench/startup.py --program "$folder/contra4" "$@"
