import assert from "node:assert/strict";
import { test } from "node:test";
import { toKafkaError, toKafkaFailure } from "../../../src/sinks/kafka/errors.ts";
import { toRabbitMqError, toRabbitMqFailure } from "../../../src/sinks/rabbitmq/errors.ts";

const cases: readonly (readonly [code: string, kind: string, hint: RegExp])[] = [
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "config", /tls\.caFile/],
  ["SELF_SIGNED_CERT_IN_CHAIN", "config", /tls\.caFile/],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "config", /tls\.caFile/],
  ["CERT_UNTRUSTED", "config", /tls\.caFile/],
  ["CERT_HAS_EXPIRED", "config", /Renew/],
  ["CERT_NOT_YET_VALID", "config", /clock/],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "config", /tls\.serverName/],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "config", /port with TLS/],
  ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "config", /version/],
  ["EPROTO", "config", /port with TLS/],
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "auth", /tls\.certificateFile/],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "auth", /tls\.certificateFile/],
  // As OpenSSL 3.5 calls it.
  ["ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN", "auth", /tls\.certificateFile/],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "auth", /tls\.certificateFile/],
  ["ECONNRESET", "reset", /TLS/],
  ["ECONNREFUSED", "reset", /address/],
];

for (const [code, kind, hint] of cases) {
  test(`${code} is a failure of kind ${kind} for both brokers, with a hint`, () => {
    const error = Object.assign(new Error("x"), { code });
    for (const toFailure of [toKafkaFailure, toRabbitMqFailure]) {
      assert.equal(toFailure(error).kind, kind);
    }
    for (const toError of [toKafkaError, toRabbitMqError]) {
      assert.match(toError(error, "cannot open").hint, hint);
    }
  });
}

test("a broker that hangs up without a word may want TLS", () => {
  const closed = Object.assign(new Error("Closed connection"), {
    name: "KafkaJSConnectionClosedError",
  });
  assert.match(toKafkaError(closed, "cannot open").hint, /kafkas:\/\//);
  const abrupt = new Error("Socket closed abruptly during opening handshake");
  assert.match(toRabbitMqError(abrupt, "cannot open").hint, /amqps:\/\//);
});
