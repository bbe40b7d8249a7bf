#!/bin/sh
# Starts a Kafka node with the server.properties that the test copied into the container.
set -eu
properties=/opt/certwire-test/server.properties
set -- -Xmx400m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "/opt/kafka/libs/*"
java "$@" kafka.tools.StorageTool format --ignore-formatted -t "$KAFKA_CLUSTER_ID" -c "$properties"
exec java "$@" kafka.Kafka "$properties"
