#!/bin/bash
# What the public image runs: each variable KAFKA_A_B is the setting a.b of the broker.
set -euo pipefail
properties=/tmp/server.properties
echo "log.dirs=/tmp/kafka-logs" > "$properties"
while IFS='=' read -r name value; do
  [[ $name == KAFKA_* ]] || continue
  setting=${name#KAFKA_}
  setting=${setting,,}
  echo "${setting//_/.}=$value" >> "$properties"
done < <(env)
printf '%s\n' 'log4j.rootLogger=WARN, console' 'log4j.appender.console=org.apache.log4j.ConsoleAppender' \
  'log4j.appender.console.layout=org.apache.log4j.SimpleLayout' > /tmp/log4j.properties
set -- -Xmx400m -Dlog4j.configuration=file:/tmp/log4j.properties -cp "/opt/kafka/libs/*"
java "$@" kafka.tools.StorageTool format --ignore-formatted -t "$CLUSTER_ID" -c "$properties"
exec java "$@" kafka.Kafka "$properties"
