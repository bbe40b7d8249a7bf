import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { kafkaErrorClasses, toKafkaFailure } from "../../../../src/sinks/kafka/errors.ts";

const require = createRequire(import.meta.url);
const protocol = require("kafkajs/src/protocol/error.js") as {
  errorCodes: { type: string; code: number }[];
};

function failureOf(type: string) {
  return toKafkaFailure(Object.assign(new Error("x"), { type })).kind;
}

test("the table names only error types that kafkajs knows", () => {
  const known = new Set(protocol.errorCodes.map(({ type }) => type));
  assert.deepEqual(
    Object.keys(kafkaErrorClasses).filter((type) => !known.has(type)),
    [],
  );
});

test("only errors of the protocol about the event itself are poison", () => {
  const poison = protocol.errorCodes.filter(({ type }) => failureOf(type) === "poison");
  assert.deepEqual(
    poison.map(({ type }) => type).toSorted((a, b) => a.localeCompare(b)),
    ["INVALID_RECORD", "INVALID_TIMESTAMP", "MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"],
  );
});

test("the error inside kafkajs's own retries decides", () => {
  const inner = Object.assign(new Error("denied"), { type: "TOPIC_AUTHORIZATION_FAILED" });
  const outer = new Error("retries exceeded", {
    cause: new Error("non retriable", { cause: inner }),
  });
  assert.equal(toKafkaFailure(outer).kind, "auth");
});

test("a certificate that is not accepted is a matter of configuration, anything unknown a reset", () => {
  const tls = Object.assign(new Error("self signed"), { code: "SELF_SIGNED_CERT_IN_CHAIN" });
  assert.equal(toKafkaFailure(tls).kind, "config");
  assert.equal(
    toKafkaFailure(Object.assign(new Error("x"), { code: "ECONNREFUSED" })).kind,
    "reset",
  );
  assert.equal(toKafkaFailure("a string").kind, "reset");
});

test("a RangeError does not condemn an event: a broken answer or short memory raises it too", () => {
  assert.equal(toKafkaFailure(new RangeError("Array buffer allocation failed")).kind, "reset");
});
