#!/usr/bin/env bash
# Sets up and runs all tests, one part per core at a time. Parts can be named
# (`npm test -- unit wine`); scripts/run-parts.mjs lists them.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
exec node scripts/run-parts.mjs "$@"
