#!/usr/bin/env bash
# Lint, format, types and dead code of the whole tree; any finding is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
npx --no-install tsc -p tsconfig.json --noEmit --incremental false
npx --no-install tsc -p page/tsconfig.json
npx --no-install oxlint --type-aware --deny-warnings
npx --no-install biome check --error-on-warnings .
npx --no-install knip
bash scripts/clang-format.sh
