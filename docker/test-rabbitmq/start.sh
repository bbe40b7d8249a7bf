#!/bin/sh
# Starts a RabbitMQ node with the rabbitmq.conf that the test copied into the container.
set -eu
# Debian keeps the programs there; its wrappers on the path need root.
PATH=/usr/lib/rabbitmq/bin:$PATH
export RABBITMQ_CONFIG_FILE=/opt/certwire-test/rabbitmq.conf
# Debian's package creates its own cookie.
rm -f "$HOME/.erlang.cookie"
printf '%s' "$ERLANG_COOKIE" > "$HOME/.erlang.cookie"
chmod 400 "$HOME/.erlang.cookie"
exec rabbitmq-server
