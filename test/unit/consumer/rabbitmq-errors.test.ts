import assert from "node:assert/strict";
import { test } from "node:test";
import { toConsumerError } from "../../../src/consumer/rabbitmq/connection.ts";

test("wrong credentials are a refusal, though amqplib gives them no code", () => {
  const text =
    'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"';
  assert.equal(toConsumerError(new Error(text), "x").code, "CERTWIRE_CONSUMER_REFUSED");
  const missing = Object.assign(new Error("NOT_FOUND - no queue"), { code: 404 });
  assert.equal(toConsumerError(missing, "x").code, "CERTWIRE_CONSUMER_REFUSED");
});

test("a queue whose node is down and a lost connection are not", () => {
  const texts = [
    "NOT_FOUND - home node 'r2@h' of durable queue 'q' in vhost '/' is down or inaccessible",
    "NOT_FOUND - failed to perform operation on queue 'q' in vhost '/' due to timeout",
    "NOT_FOUND - queue 'q' in vhost '/' process is stopped by supervisor",
  ];
  for (const error of [
    ...texts.map((text) => Object.assign(new Error(text), { code: 404 })),
    new Error("Handshake terminated by server: 320 (FORCED)"),
    new Error(),
  ]) {
    assert.equal(toConsumerError(error, "x").code, "CERTWIRE_CONSUMER_UNREACHABLE");
  }
});
