#!/usr/bin/env bash
# Sets up and passes all tests. Parts can be named: lint native windows node matrix docker. Default: all.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
parts=("$@")
all=(lint native windows matrix docker node)
[ ${#parts[@]} -gt 0 ] || parts=("${all[@]}")
for part in "${parts[@]}"; do
  [[ " ${all[*]} " == *" $part "* ]] || { say "there is no part $part; the parts are: ${all[*]}"; exit 2; }
done

wanted() { [[ " ${parts[*]} " == *" $1 "* ]]; }
step() {
  local started=$SECONDS
  say "== $1"
  shift
  "$@"
  say "   done in $((SECONDS - started)) s"
}

bash scripts/setup.sh test
if wanted lint; then step "lint, format, types, dead code" bash scripts/lint.sh; fi
if wanted native; then step "native tests, plain and under sanitizers, and a short fuzz" bash scripts/native-tests.sh; fi
if wanted windows; then
  step "Windows binaries" bash scripts/build-windows.sh
  step "Wine prefix" bash scripts/wine-prefix.sh
fi
if wanted matrix; then
  lines=()
  for line in 20 22 24; do
    # The part "node" runs the same suites on the Node that is here.
    if wanted node && [[ "$(node --version)" == v$line.* ]]; then continue; fi
    lines+=("$line")
  done
  step "unit and contract tests on Node ${lines[*]}" bash scripts/node-matrix.sh "${lines[@]}"
fi
if wanted docker && [ "${CI:-}" = true ]; then step "testcontainers on a private engine" bash scripts/ci-docker.sh; fi
if wanted node; then
  step "broker files" bash scripts/fetch-kafka.sh
  say "== tests on Node: unit, contract, integration, crash, Wine"
  excluded=()
  if [ "${CI:-}" = true ]; then
    # There is no engine here in CI; a run without one is no test, and is not to look like one.
    excluded=(--exclude=testcontainers.test.js)
    say "   without testcontainers.test.js, which needs a container engine: the part \"docker\" runs it"
  fi
  exec node scripts/run-tests.mjs --test-concurrency=1 "${excluded[@]}" build/js/test build/js/examples
fi
