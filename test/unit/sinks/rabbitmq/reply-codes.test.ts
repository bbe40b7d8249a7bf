import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { brokerErrorsPage } from "../../../../scripts/broker-errors-page.ts";
import { CertwireError } from "../../../../src/errors/certwire-error.ts";
import { toRabbitMqError, toRabbitMqFailure } from "../../../../src/sinks/rabbitmq/errors.ts";
import { failureOfReply, replyCodes } from "../../../../src/sinks/rabbitmq/reply-codes.ts";

const require = createRequire(import.meta.url);
const definitions = require(join(dirname(require.resolve("amqplib")), "lib", "defs.js")) as {
  constants: Readonly<Record<string, number>>;
};

/** Reply codes of the specification, from the definitions that amqplib generates from it. */
const specified = Object.entries(definitions.constants)
  .filter(([name, value]) => value >= 200 && value < 600 && !/^FRAME_(METHOD|END|MIN)/.test(name))
  .map(([name, value]) => [String(value), name.toLowerCase().replaceAll("_", "-")]);

function reply(code: number, text: string): Error {
  return Object.assign(new Error(`Channel closed by server: ${code} "${text}"`), { code });
}

test("the table holds every reply code of AMQP 0-9-1, by its name", () => {
  assert.equal(specified.length, 19);
  assert.deepEqual(
    Object.entries(replyCodes).map(([code, { name }]) => [code, name]),
    specified.toSorted(([a = ""], [b = ""]) => Number(a) - Number(b)),
  );
});

test("only codes about the bytes of one event are poison", () => {
  const poison = Object.keys(replyCodes).filter(
    (code) => failureOfReply(Number(code), "").kind === "poison",
  );
  assert.deepEqual(poison, ["501", "502", "505"]);
});

test("no code is poison before its event was sent alone", () => {
  for (const code of Object.keys(replyCodes)) {
    const { kind } = toRabbitMqFailure(reply(Number(code), "some text"));
    assert.ok(kind === "reset" || kind === "config" || kind === "auth", `${code} is ${kind}`);
  }
});

/** Texts of RabbitMQ 3.10 and 4, their codes and what they mean: kind, exit code and a word of the hint. */
const texts: readonly (readonly [number, string, string, number, RegExp])[] = [
  [530, "NOT_ALLOWED - vhost pki not found", "config", 78, /Create the vhost/],
  [530, "NOT_ALLOWED - access to vhost 'pki' refused for user 'ca'", "auth", 77, /set_permissions/],
  [
    530,
    "NOT_ALLOWED - access to vhost 'pki' refused for user 'ca': connection limit (0) is reached",
    "config",
    78,
    /connection limit/,
  ],
  [
    530,
    "NOT_ALLOWED - connection refused for user 'ca': user connection limit (1) is reached",
    "config",
    78,
    /connection limit/,
  ],
  [
    530,
    "NOT_ALLOWED - connection refused: node connection limit (9) is reached",
    "config",
    78,
    /limit/,
  ],
  [
    541,
    "INTERNAL_ERROR - access to vhost 'pki' refused for user 'ca': vhost 'pki' is down",
    "config",
    78,
    /restart_vhost/,
  ],
  [541, "INTERNAL_ERROR", "reset", 69, /log/],
  [320, "CONNECTION_FORCED - vhost 'pki' is deleted", "config", 78, /Create the vhost/],
  [320, "CONNECTION_FORCED - broker forced connection closure", "reset", 69, /resumes/],
  [
    403,
    "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN",
    "auth",
    77,
    /secret/,
  ],
  [403, "ACCESS_REFUSED - access to exchange 'e' in vhost '/' refused", "auth", 77, /permissions/],
  [404, "NOT_FOUND - no exchange 'e' in vhost '/'", "config", 78, /exchange/],
  [
    404,
    "NOT_FOUND - home node 'r2@h' of durable queue 'q' in vhost '/' is down or inaccessible",
    "reset",
    69,
    /node/,
  ],
  [
    404,
    "NOT_FOUND - failed to perform operation on queue 'q' in vhost '/' due to timeout",
    "reset",
    69,
    /node/,
  ],
  [
    406,
    "PRECONDITION_FAILED - message size 9 is larger than max size 8",
    "config",
    78,
    /max_message_size/,
  ],
  [
    406,
    "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received the value 'quorum' of type 'longstr' but current is none",
    "config",
    78,
    /^The queue "q" exists with another x-queue-type/,
  ],
  [
    406,
    "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'e' in vhost '/': received 'topic' but current is 'direct'",
    "config",
    78,
    /^The exchange "e" exists with another type \(the exchange must be a topic exchange\)/,
  ],
  [
    406,
    "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'q' in vhost '/': received the value '5' of type 'signedint' but current is none",
    "config",
    78,
    /x-delivery-limit \(deliveryLimit\)/,
  ],
];

for (const [code, text, kind, exitCode, hint] of texts) {
  test(`${code} ${text} is ${kind}`, () => {
    const error = reply(code, text);
    assert.equal(toRabbitMqFailure(error).kind, kind);
    const reported = toRabbitMqError(error, "cannot connect");
    assert.ok(reported instanceof CertwireError);
    assert.equal(reported.exitCode, exitCode);
    assert.match(reported.hint, hint);
  });
}

test("headers larger than a frame are a setting of the broker, not a fault of the event", () => {
  const text = "FRAME_ERROR - type 2, all octets = <<>>: {frame_too_large,5000,4088}";
  assert.equal(failureOfReply(501, text).kind, "config");
});

test("the reference page of the brokers' codes is the one that the tables make", () => {
  assert.equal(readFileSync("docs/reference/broker-errors.md", "utf8"), brokerErrorsPage());
});
