#!/usr/bin/env bash
# The main job on a fresh machine: sets up, then runs a simulated CA, the exit module's code, and the service.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh start
exec node build/js/src/cli/main.js demo "$@"
