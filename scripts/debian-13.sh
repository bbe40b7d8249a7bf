#!/usr/bin/env bash
# Runs a command in Debian 13, which has Wine 10 and RabbitMQ 4. Its root directory is made once, in var/debian-13.
#   scripts/debian-13.sh [COMMAND [ARGUMENT...]]     without a command it only makes the root directory
# The command runs in this checkout with Node 24, and has processes, mounts and a loopback interface of its own: nothing
# that it starts or mounts outlives it. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
root=$PWD/var/debian-13

is_made() { [ "$(cat "$root/etc/certwire-packages" 2> /dev/null)" = "$packages" ]; }

# The lock is shared by all that run in the root directory, and whoever makes it anew waits for them.
make_root() {
  local packages
  packages=$(IFS=,; echo "${packages_debian_13[*]}")
  mkdir -p var
  exec 9> var/.debian-13.lock
  flock --shared 9
  if is_made; then return; fi
  flock --exclusive 9
  if ! is_made; then
    say "var/debian-13: installing Debian 13 with debootstrap: ${packages_debian_13[*]}"
    rm -rf "$root"
    install_debian trixie "$packages" "$root" var/debian-13.log \
      "rm -rf '$root'; debootstrap --variant=minbase --include=$packages trixie '$root' && echo $packages > '$root/etc/certwire-packages'"
    echo "$packages" > "$root/etc/certwire-packages"
    say "var/debian-13: $(du -sh "$root" | cut -f1)"
  fi
  flock --shared 9
}

# Runs inside the namespaces.
run_inside() {
  ip link set lo up
  printf '127.0.0.1 localhost %s\n' "$(hostname)" > "$root/etc/hosts"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mkdir -p "$root$PWD"
  mount --bind "$PWD" "$root$PWD"
  TMPDIR=$(mktemp -d --tmpdir="$root/var/tmp" certwire.XXXXXX)
  # Open like /tmp: PostgreSQL runs as another user.
  chmod 1777 "$TMPDIR"
  trap 'rm -rf "$root$TMPDIR"' EXIT
  TMPDIR=${TMPDIR#"$root"}
  # Not the prefix of the Wine outside, which has another version; nor brokers outside, which are out of reach.
  export WINEPREFIX=$PWD/build/wine-prefix-debian-13 CERTWIRE_TEST_BROKERS=local
  unset KAFKA_BROKERS AMQP_URL DOCKER_HOST JAVA_HOME
  export TMPDIR HOME=/root LC_ALL=C.UTF-8
  export PATH=$PWD/$(dirname "$node"):/usr/sbin:/usr/bin:/sbin:/bin
  chroot "$root" sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
}

if [ "$(id -u)" != 0 ]; then
  say "a root directory of Debian 13 needs root. Run:" >&2
  printf '  sudo %s\n' "${npm_lifecycle_event:+npm run $npm_lifecycle_event}${npm_lifecycle_event:-bash $0 $*}" >&2
  exit 1
fi
if [ "${1:-}" = --inside ]; then
  shift
  node=$1
  shift
  run_inside "$@"
  exit
fi
make_root
[ $# -gt 0 ] || exit 0
node=$(bash scripts/fetch-node.sh 24)
exec unshare --mount --net --pid --fork --kill-child=KILL bash "$0" --inside "$node" "$@"
