#!/usr/bin/env bash
# Builds the image of the service.
#   scripts/docker-image.sh [--base IMAGE] [--tag NAME]     defaults: the base of docker/Dockerfile, certwire:local
set -euo pipefail
cd "$(dirname "$0")/.."

tag=certwire:local
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --base) arguments+=(--build-arg "BASE=$2"); shift 2 ;;
    --tag) tag=$2; shift 2 ;;
    *) echo "usage: $0 [--base IMAGE] [--tag NAME]" >&2; exit 2 ;;
  esac
done

if [ ! -f prebuilds/linux-x64/certwire.node ]; then
  echo "$0: the native addon is missing; build it with: npm run build:native" >&2
  exit 1
fi
mkdir -p build
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
node_modules/.bin/tsc -p tsconfig.build.json --outDir "$context/dist" --incremental false
node_modules/.bin/tsc -p tsconfig.json
node build/js/scripts/build-page.js "$context/dist/page"
# `certwire explain` and the status page show the runbooks.
mkdir -p "$context/docs/how-to"
cp -r docs/how-to/runbooks "$context/docs/how-to"
cp package.json LICENSE THIRD-PARTY-NOTICES.md "$context"
mkdir "$context/prebuilds"
cp -r prebuilds/linux-x64 "$context/prebuilds"
# The packages that npm would install for a user, copied from here, and those of the simulated CA.
npm ls --omit=dev --all --parseable --loglevel=error > build/docker-packages.txt || {
  echo "$0: node_modules does not match package-lock.json; fix it with: npm ci" >&2
  exit 1
}
{
  sed -n "s#^$PWD/##p" build/docker-packages.txt
  node scripts/npm-closure.mjs @noble/curves @peculiar/asn1-csr @peculiar/asn1-schema @peculiar/asn1-x509
} | xargs cp --parents -r -t "$context"

docker build "${arguments[@]}" --tag "$tag" --file docker/Dockerfile "$context" > build/docker-image.log 2>&1 || {
  tail -n 20 build/docker-image.log >&2
  exit 1
}
echo "  image $tag built"
