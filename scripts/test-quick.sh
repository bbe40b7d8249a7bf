#!/usr/bin/env bash
# The inner loop: lint, types, unit and contract tests, and the suite of one broker.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
exec node scripts/run-parts.mjs unit rabbitmq lint
