import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import type { CertwireError } from "../../../../src/errors/certwire-error.ts";
import { describeCause } from "../../../../src/errors/describe-cause.ts";
import { kafkaErrors } from "../../../../src/sinks/kafka/error-table.ts";
import { isTooLarge, toKafkaError, toKafkaFailure } from "../../../../src/sinks/kafka/errors.ts";
import { fromKafkajsHost, toKafkajsBroker } from "../../../../src/sinks/kafka/ipv6.ts";

const require = createRequire(import.meta.url);
const protocol = require("kafkajs/src/protocol/error.js") as {
  errorCodes: { type: string; code: number }[];
};

function failureOf(type: string) {
  return toKafkaFailure(Object.assign(new Error("x"), { type })).kind;
}

test("the table has the numbers and names that kafkajs has", () => {
  const known = new Map(protocol.errorCodes.map(({ type, code }) => [type, code]));
  const ours = kafkaErrors.map(({ type, code }) => [type, code]);
  assert.deepEqual(
    ours.filter(([type, code]) => known.get(String(type)) !== code),
    [],
  );
});

test("no error of the protocol makes a dead letter: each is a condition that a setting can change", () => {
  const poison = protocol.errorCodes.filter(({ type }) => failureOf(type) === "poison");
  assert.deepEqual(poison, []);
  assert.equal(failureOf("KAFKAJS_UNKNOWN_ERROR_CODE"), "reset");
});

test("a wrong clock, a missing topic and a small limit wait with an alarm that names them", () => {
  const cases = {
    INVALID_TIMESTAMP: /clocks/,
    UNKNOWN_TOPIC_OR_PARTITION: /Create the topic/,
    MESSAGE_TOO_LARGE: /max\.message\.bytes/,
    INVALID_RECORD: /./,
  };
  for (const [type, hint] of Object.entries(cases)) {
    const { kind, cause } = toKafkaFailure(Object.assign(new Error("x"), { type }));
    assert.equal(kind, "config", type);
    assert.match((cause as CertwireError).hint, hint);
  }
});

test("rights, SASL and replicas have hints of their own", () => {
  const cases = {
    TOPIC_AUTHORIZATION_FAILED: ["auth", /Write/],
    CLUSTER_AUTHORIZATION_FAILED: ["auth", /Write on the topic/],
    ILLEGAL_SASL_STATE: ["auth", /does not use SASL/],
    NOT_ENOUGH_REPLICAS: ["retry-identical", /min\.insync\.replicas/],
  } as const;
  for (const [type, [kind, hint]] of Object.entries(cases)) {
    const failure = toKafkaFailure(Object.assign(new Error("x"), { type }));
    assert.equal(failure.kind, kind, type);
    assert.match((failure.cause as CertwireError).hint, hint, type);
  }
});

test("only a refusal of the size asks for smaller sends", () => {
  const large = protocol.errorCodes.filter(({ type }) =>
    isTooLarge(Object.assign(new Error("x"), { type })),
  );
  assert.deepEqual(
    large.map(({ type }) => type),
    ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"],
  );
});

test("an error names the broker that it is about, an IPv6 address with its colons", () => {
  const broker = toKafkajsBroker("[2001:db8::7]:9092");
  assert.equal(broker.split(":").length, 2, "kafkajs can split it");
  const error = Object.assign(new Error("Connection timeout"), { broker });
  assert.equal(
    describeCause(toKafkaError(error, "cannot open")),
    "cannot open: Connection timeout ([2001:db8::7]:9092)",
  );
  assert.equal(fromKafkajsHost(broker.split(":")[0] ?? ""), "2001:db8::7");
});

test("a host that cannot be resolved has a hint about advertised listeners", () => {
  const error = Object.assign(new Error("Connection error: getaddrinfo ENOTFOUND kafka-1"), {
    broker: "kafka-1:9092",
  });
  assert.match(toKafkaError(error, "cannot open").hint, /advertised\.listeners/);
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
