#!/usr/bin/env bash
# Writes everything that is made from code: pages, schemas, mappings, pictures, golden events. The schemas come first.
set -euo pipefail
cd "$(dirname "$0")/.."
npx --no-install tsc -p tsconfig.json
scripts=(
  generate-schemas
  generate-errors-page
  broker-errors-page
  generate-golden-events
  config-reference
  generate-pictures
  generate-mappings
  generate-health-page
  generate-log-page
  generate-status-schema
  generate-metrics-page
  generate-alerts
  generate-dashboard
)
for name in "${scripts[@]}"; do node "build/js/scripts/$name.js"; done
node build/js/examples/detections/generate-sigma.js
node build/js/examples/siem/generate-template.js
