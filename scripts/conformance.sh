#!/usr/bin/env bash
# Plays the same scripts on the models of the simulation and on real brokers, and compares what came of them:
#   scripts/conformance.sh [kafka] [rabbitmq] [kafka-cluster] [rabbitmq-restarts] [--scripts N] [--seed S] [--no-shrink]
# By default 100 scripts on each, from seed 1. Ends with 1 at the first difference, with the shortest script that shows it.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
bash scripts/fetch-kafka.sh
exec node build/js/test/simulation/conformance/main.js "$@"
