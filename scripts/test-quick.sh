#!/usr/bin/env bash
# The inner loop: lint, types, unit and contract tests, and the suite of one broker.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
bash scripts/lint.sh
exec node scripts/run-tests.mjs build/js/test/unit build/js/test/contract build/js/test/integration/rabbitmq.test.js
