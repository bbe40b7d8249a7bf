// Runs kafkajs's own authentication on the object that the sink hands to it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import pino from "pino";
import { CertwireError } from "../../../../src/errors/certwire-error.ts";
import { createKafka, saslOf } from "../../../../src/sinks/kafka/client.ts";
import { toKafkaFailure } from "../../../../src/sinks/kafka/errors.ts";
import { kafkaSinkOptions, resolveKafkaSink } from "../../../../src/sinks/kafka/options.ts";

const require = createRequire(import.meta.url);

interface Request {
  readonly request: { encode(): Promise<Buffer> };
}

type Provider = (sasl: object) => (connection: object) => { authenticate(): Promise<void> };

const plain = require("kafkajs/src/broker/saslAuthenticator/plain.js") as Provider;

function optionsWith(secret: () => string) {
  const sasl = { mechanism: "plain", username: "u", password: { file: "f" } };
  const entry = kafkaSinkOptions.parse({ name: "k", url: "kafka://a/t", sasl });
  return resolveKafkaSink(entry, { baseDirectory: "/", secret });
}

test("kafkajs asks for the password at each authentication and gets the new one", async () => {
  let password = "old";
  const { sasl } = optionsWith(() => password);
  assert.ok(sasl);
  const sent: string[] = [];
  const authenticator = plain(saslOf(sasl, pino({ level: "silent" })));
  const connection = {
    host: "a",
    port: 1,
    logger: { debug: () => undefined, error: () => undefined },
    saslAuthenticate: async ({ request }: Request) => {
      sent.push((await request.encode()).toString("utf8"));
    },
  };
  await authenticator(connection).authenticate();
  password = "new";
  await authenticator(connection).authenticate();
  assert.deepEqual(
    sent.map((text) => text.split("\0").at(-1)),
    ["old", "new"],
  );
});

test("a password that cannot be read is a retried failure with its own hint", () => {
  const options = optionsWith(() => {
    throw new CertwireError("CERTWIRE_CONFIG_INVALID", "no such file", { hint: "write it" });
  });
  assert.throws(
    () => createKafka(options, pino({ level: "silent" })),
    (error) => {
      const wrapped = new Error("retries exceeded", { cause: error });
      const failure = toKafkaFailure(wrapped);
      assert.equal(failure.kind, "config");
      assert.equal(Object(failure.cause).hint, "write it");
      return true;
    },
  );
});
