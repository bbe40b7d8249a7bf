#!/usr/bin/env bash
# One Kafka broker on this machine, without Docker, to try things out. Never for production.
#   scripts/local-kafka.sh start   on 127.0.0.1:9092, with the topic certwire.events of six partitions
#   scripts/local-kafka.sh stop    ends it; its data stay in var/local-kafka
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
home=$PWD/var/local-kafka
server=127.0.0.1:9092
java=(java -Xmx400m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$PWD/var/kafka-libs/*")

# The process ID of our broker; fails when it does not run.
running() {
  local id
  id=$(cat "$home/pid" 2>/dev/null) || return 1
  tr '\0' ' ' 2>/dev/null < "/proc/$id/cmdline" | grep -qF "$home/server.properties" && echo "$id"
}

properties() {
  cat << END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
listeners=PLAINTEXT://$server,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
log.dirs=$home/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
END
}

failed() {
  tail -n 5 "$home/$1.log" >&2
  say "$2; the whole log is in $home/$1.log" >&2
  stop
  exit 1
}

start() {
  if id=$(running); then
    say "Kafka already runs on $server, process $id"
    return
  fi
  install_packages openjdk-17-jre-headless maven
  bash scripts/fetch-kafka.sh
  mkdir -p "$home"
  if (exec 3<> "/dev/tcp/${server/://}") 2>/dev/null; then
    say "another program listens on $server" >&2
    exit 1
  fi
  properties > "$home/server.properties"
  "${java[@]}" kafka.tools.StorageTool format --ignore-formatted -t Q2VydHdpcmVMb2NhbDEyMw \
    -c "$home/server.properties" > "$home/format.log" 2>&1 || failed format "cannot prepare $home/data"
  nohup "${java[@]}" kafka.Kafka "$home/server.properties" > "$home/broker.log" 2>&1 < /dev/null &
  echo $! > "$home/pid"
  # This client waits until the broker serves, for a minute at most.
  "${java[@]}" org.apache.kafka.tools.TopicCommand --bootstrap-server "$server" --create --if-not-exists \
    --topic certwire.events --partitions 6 > "$home/topic.log" 2>&1 || failed topic "Kafka does not answer"
  id=$(running) || failed broker "Kafka has ended"
  say "Kafka runs on $server, process $id, with the topic certwire.events; end it with: $0 stop"
}

stop() {
  if ! id=$(running); then
    say "Kafka does not run"
    return
  fi
  kill "$id"
  while running > /dev/null; do sleep 0.1; done
  say "Kafka has ended; its data stay in $home"
}

case "${1:-}" in
  start | stop) "$1" ;;
  *) echo "usage: $0 start|stop" >&2; exit 2 ;;
esac
