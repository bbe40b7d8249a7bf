#!/usr/bin/env bash
# Measures throughput from a journal to the brokers, compared with their own load generators; options as in
# bench/brokers.ts. Needs Java, Maven and RabbitMQ, which the setup of the tests installs.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/fetch-kafka.sh kafka
bash scripts/fetch-kafka.sh perf-test
[ -f prebuilds/linux-x64/certwire.node ] || bash scripts/build-native.sh
npx --no-install tsc -p tsconfig.json
exec node build/js/bench/brokers.js "$@"
