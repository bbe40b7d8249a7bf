#!/usr/bin/env bash
# Debian 13, which has Wine 10 and RabbitMQ 4: its root directory is made once, in var/debian-13.
#   scripts/debian-13.sh                     only makes the root directory
#   scripts/debian-13.sh COMMAND...          runs a command in it, in this checkout, with Node 24
#   scripts/debian-13.sh --wine COMMAND...   runs a command outside it, with the Wine that is in it
# The command has processes and mounts of its own, and in Debian 13 a loopback interface: nothing that it starts or mounts
# outlives it. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
root=$PWD/var/debian-13

is_made() { [ "$(cat "$root/etc/certwire-packages" 2> /dev/null)" = "$packages" ]; }

# The lock is shared by all that use the root directory, and whoever makes it anew waits for them.
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

# Mounts this directory of the machine in the root directory, in the same place.
share() {
  mkdir -p "$root$1"
  mount --bind "$1" "$root$1"
}

# Runs inside the namespaces.
run() {
  TMPDIR=$(mktemp -d)
  # Open like /tmp: PostgreSQL runs as another user.
  chmod 1777 "$TMPDIR"
  trap 'umount --lazy "$root$TMPDIR"; rm -rf "$TMPDIR" "$root$TMPDIR"' EXIT
  mount --rbind /dev "$root/dev"
  for directory in /proc "$PWD" "$TMPDIR"; do share "$directory"; done
  # Not the prefix of another version of Wine.
  export TMPDIR LC_ALL=C.UTF-8 WINEPREFIX=$PWD/build/wine-prefix-debian-13
  if [ "$place" = outside ]; then
    CERTWIRE_WINE_ROOT=$root "$@"
    return
  fi
  ip link set lo up
  printf '127.0.0.1 localhost %s\n' "$(hostname)" > "$root/etc/hosts"
  # Brokers outside are out of reach.
  unset KAFKA_BROKERS AMQP_URL DOCKER_HOST JAVA_HOME
  export CERTWIRE_TEST_BROKERS=local HOME=/root PATH=$PWD/$(dirname "$node"):/usr/sbin:/usr/bin:/sbin:/bin
  chroot "$root" sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
}

if [ "${1:-}" = --namespaces ]; then
  place=$2 node=$3
  shift 3
  run "$@"
  exit
fi
if [ "$(id -u)" != 0 ]; then
  say "a root directory of Debian 13 needs root. Run:" >&2
  command="bash $0 $*"
  printf '  sudo %s\n' "${npm_lifecycle_event:+npm run }${npm_lifecycle_event:-$command}" >&2
  exit 1
fi
make_root
namespaces=(unshare --mount --pid --fork --mount-proc --kill-child=KILL)
case ${1:-} in
  '') ;;
  --wine)
    shift
    exec "${namespaces[@]}" bash "$0" --namespaces outside "" "$@"
    ;;
  *)
    node=$(bash scripts/fetch-node.sh 24)
    exec "${namespaces[@]}" --net bash "$0" --namespaces inside "$node" "$@"
    ;;
esac
