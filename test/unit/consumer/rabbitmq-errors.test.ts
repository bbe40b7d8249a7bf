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
  const down = Object.assign(new Error("queue 'q' is down or inaccessible"), { code: 404 });
  for (const error of [
    down,
    new Error("Handshake terminated by server: 320 (FORCED)"),
    new Error(),
  ]) {
    assert.equal(toConsumerError(error, "x").code, "CERTWIRE_CONSUMER_UNREACHABLE");
  }
});
