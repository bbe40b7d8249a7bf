#!/usr/bin/env bash
# Lets other people's software read our events, also what is too heavy for npm test: the CloudEvents SDKs for Go and
# Java, and an OpenSearch node. Fetches what that needs, and writes docs/reference/interop.md.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh test
source scripts/packages.sh
install_packages "${packages_interop[@]}"
check_go
bash scripts/fetch-kafka.sh
bash scripts/fetch-kafka.sh cloudevents
bash scripts/fetch-kafka.sh opensearch
fetch=(go -C test/interop/go mod download)
say "Go modules: fetching what test/interop/go/go.sum names"
"${fetch[@]}" > var/go.log 2>&1 || fetch_failed go var/go.log "${fetch[*]}"
rm -rf build/interop
node scripts/run-tests.mjs --test-concurrency=1 build/js/test/interop
node build/js/scripts/interop-page.js
say "docs/reference/interop.md has the results"
