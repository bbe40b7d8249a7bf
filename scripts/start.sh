#!/usr/bin/env bash
# Sets up a fresh machine, then runs a simulated CA, the exit module's code, and the service.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh start
exec node build/js/src/cli/main.js demo "$@"
