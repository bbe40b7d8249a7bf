#!/usr/bin/env bash
# Runs the suites of both brokers' sinks on a second version of each broker, and that of the service's image,
# through testcontainers on images built from docker/ on a base image that is built here, so that no public image
# is needed: Debian 13 with its RabbitMQ 4, and an older Kafka. It
# starts Debian's container engine: a private one in its own network and process namespaces,
# which end with this script. That needs root. Runs only in CI (CI=true) or with
# --private-engine; your own engine is never touched.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

base_suite=trixie
base_archive=$PWD/var/ci-base-$base_suite.tar
base_packages=ca-certificates,openjdk-21-jre-headless,rabbitmq-server
kafka_version=3.9.1
base_image=certwire-ci-base

make_base_archive() {
  if [ -f "$base_archive" ]; then
    say "base system: already there"
    return
  fi
  say "base system: installing Debian with Java and RabbitMQ (debootstrap) ..."
  local started=$SECONDS
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  install_debian "$base_suite" "$base_packages" "$root" build/debootstrap.log \
    "debootstrap --variant=minbase --include=$base_packages $base_suite DIRECTORY && tar -C DIRECTORY -cf '$base_archive' ."
  mkdir -p var
  tar -C "$root" -cf "$base_archive.partial" .
  mv "$base_archive.partial" "$base_archive"
  rm -rf "$root"
  trap - EXIT
  say "base system: $(du -h "$base_archive" | cut -f1) in $((SECONDS - started)) s"
}

start_engine() {
  dockerd --data-root "$engine/data" --exec-root "$engine/exec" --pidfile "$engine/dockerd.pid" \
    --host "$DOCKER_HOST" --ip 127.0.0.1 > "$engine/dockerd.log" 2>&1 &
  for _ in $(seq 100); do
    docker info > /dev/null 2>&1 && return
    sleep 0.2
  done
  tail -n 20 "$engine/dockerd.log" >&2
  exit 1
}

# The base resembles the public images: jars in /opt/kafka/libs, node on the path.
build_base_image() {
  docker import "$base_archive" certwire-ci-debian > /dev/null
  mkdir "$engine/context"
  cp -r "var/kafka-libs-$kafka_version" "$engine/context/kafka-libs"
  cp "$(command -v node)" "$engine/context"
  docker build --tag "$base_image" --file - "$engine/context" > build/ci-base.log 2>&1 <<'DOCKERFILE'
FROM certwire-ci-debian
COPY kafka-libs /opt/kafka/libs
COPY node /usr/local/bin/node
DOCKERFILE
  rm -rf "$engine/context"
}

stop_engine() {
  local pid
  if pid=$(cat "$engine/dockerd.pid" 2>/dev/null); then
    kill "$pid"
    wait
  fi
  # If / is not a shared mount the engine mounts its directory on itself, and does not unmount it.
  umount --recursive --lazy "$engine/data" 2> /dev/null || true
  rm -rf "$engine"
}

# Runs inside the namespaces.
run_suites() {
  engine=$(mktemp -d)
  trap stop_engine EXIT
  export DOCKER_HOST=unix://$engine/docker.sock DOCKER_BUILDKIT=0
  export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
  export CERTWIRE_TEST_BROKERS=testcontainers CERTWIRE_TEST_BASE_IMAGE=$base_image
  export CERTWIRE_SERVICE_IMAGE=certwire:local
  # Process ids differ in this namespace, and tests use them to find left-over temporary files.
  export TMPDIR=$engine
  ip link set lo up
  start_engine
  local started=$SECONDS
  build_base_image
  bash scripts/docker-image.sh --base "$base_image" --tag "$CERTWIRE_SERVICE_IMAGE"
  say "base and service image in $((SECONDS - started)) s, with Kafka $kafka_version and RabbitMQ $(docker run --rm --network none "$base_image" dpkg-query -W -f '${Version}' rabbitmq-server)"
  local tests=build/js/test/integration
  node scripts/run-tests.mjs --test-concurrency=1 $tests/{testcontainers,kafka,rabbitmq,rabbitmq-limits}.test.js
}

case "${1:-}" in
  --inside) run_suites ;;
  --private-engine | "")
    if [ "${1:-}" = "" ] && [ "${CI:-}" != true ]; then
      echo "$0: starts a private container engine only in CI or with --private-engine" >&2
      echo "  with your own engine: CERTWIRE_TEST_BROKERS=testcontainers npm test" >&2
      exit 2
    fi
    if [ "$(id -u)" != 0 ]; then
      echo "$0: a private container engine needs root" >&2
      exit 1
    fi
    # The tools that read Kafka back are of the usual version.
    bash scripts/fetch-kafka.sh
    bash scripts/fetch-kafka.sh kafka "$kafka_version"
    mkdir -p build
    make_base_archive
    exec unshare --net --mount --pid --fork --mount-proc --kill-child=KILL bash "$0" --inside
    ;;
  *) echo "usage: $0 [--private-engine]" >&2; exit 2 ;;
esac
