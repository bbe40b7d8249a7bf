#!/usr/bin/env bash
# Takes times, one part after the other or the one that is named; each prints its ratios and writes JSON.
#   npm run bench [-- brokers|isolation|backlog|crl|consumer|cost|backfill|event|quiet [OPTION...]]
# brokers: the way from a journal to the brokers beside their own load generators -> build/bench-brokers.json
# isolation: a sink beside a dead one and alone -> build/bench-isolation.json
# backlog: an event of a large backlog and of a small one -> build/bench-backlog.json
# crl: a CRL of 5 MiB -> build/bench-crl.json
# consumer: the SDK beside the clients that it is made of -> build/bench-consumer.json
# backfill: the delay of live events beside a backfill and without one -> build/bench-backfill.json
# event: the work for one event, beside JSON.stringify -> build/bench-event.json
# quiet: what the service takes at 0 to 300 events/s, and how long an event is on its way -> build/bench-quiet.json
# cost: a service that is watched beside one that is not -> build/bench-cost.json
# Options as in bench/*.ts. Needs Java, Maven and RabbitMQ, which the set-up of the tests installs.
set -euo pipefail
cd "$(dirname "$0")/.."
parts=(brokers isolation backlog crl consumer cost backfill event quiet)
if [[ " ${parts[*]} " == *" ${1:-} "* ]]; then
  parts=("$1")
  shift
elif [ $# -gt 0 ]; then
  parts=(brokers)
fi
bash scripts/fetch-kafka.sh kafka
if [[ " ${parts[*]} " == *" brokers "* ]]; then bash scripts/fetch-kafka.sh perf-test; fi
[ -f prebuilds/linux-x64/certwire.node ] || bash scripts/build-native.sh
npx --no-install tsc -p tsconfig.json
for part in "${parts[@]}"; do node "build/js/bench/$part.js" --out "build/bench-$part.json" "$@"; done
