import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import pino from "pino";
import { ConfigError } from "../../../../src/config/config-error.ts";
import { inspectConfig } from "../../../../src/config/inspect.ts";
import { CertwireError } from "../../../../src/errors/certwire-error.ts";
import { TokenError } from "../../../../src/kafka/token-error.ts";
import { createKafka } from "../../../../src/sinks/kafka/client.ts";
import { toKafkaFailure } from "../../../../src/sinks/kafka/errors.ts";
import { kafkaSinkOptions, resolveKafkaSink } from "../../../../src/sinks/kafka/options.ts";
import { temporaryDirectory } from "../../../support/run-cli.ts";

const oauth = {
  tokenEndpoint: "https://login.example/token",
  clientId: "certwire",
  clientSecret: { file: "secret.txt" },
};

/** What the check says of a sink with this `sasl`: the messages of its errors, or of its warnings. */
function inspect(t: TestContext, sasl: object, url = "kafkas://a/t", ca?: string) {
  const directory = temporaryDirectory(t);
  const file = join(directory, "certwire.json");
  writeFileSync(join(directory, "secret.txt"), "s3cret\n");
  if (ca !== undefined) writeFileSync(join(directory, "ca.pem"), ca);
  const [journal, state] = [{ directory: "j" }, { directory: "s" }];
  writeFileSync(file, JSON.stringify({ journal, state, sinks: [{ name: "k", url, sasl }] }));
  try {
    return { warnings: inspectConfig(file).warnings.map(({ message }) => message), errors: [] };
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    const errors = error.diagnostics.map(({ path, message }) => `${path}: ${message}`);
    return { warnings: [], errors };
  }
}

test("each mechanism takes its own options, and no others", (t) => {
  const errorsOf = (sasl: object) => inspect(t, sasl).errors.join("\n");
  const password = { environment: "PATH" };
  const user = { username: "u", password };
  const aws = { region: "eu-central-1" };
  assert.equal(errorsOf({ mechanism: "plain", ...user }), "");
  assert.equal(errorsOf({ mechanism: "oauthbearer", oauth }), "");
  assert.equal(errorsOf({ mechanism: "aws-msk-iam", aws }), "");
  assert.match(errorsOf({ mechanism: "plain", username: "u" }), /"password" is missing/);
  assert.match(errorsOf({ mechanism: "scram-sha-256", password }), /"username" is missing/);
  assert.match(errorsOf({ mechanism: "oauthbearer" }), /"oauth" is missing/);
  assert.match(errorsOf({ mechanism: "aws-msk-iam" }), /"aws" is missing/);
  for (const [sasl, key] of [
    [{ mechanism: "plain", ...user, oauth }, "oauth"],
    [{ mechanism: "oauthbearer", oauth, username: "u" }, "username"],
    [{ mechanism: "aws-msk-iam", aws, password }, "password"],
  ] as const) {
    assert.match(errorsOf(sasl), new RegExp(`sasl\\.${key}: is not for the mechanism`));
  }
});

test("options of a token endpoint are checked where they stand", (t) => {
  const errorsOf = (more: object) =>
    inspect(t, { mechanism: "oauthbearer", oauth: { ...oauth, ...more } }).errors.join("\n");
  assert.match(
    errorsOf({ tokenEndpoint: "http://login.example/token" }),
    /tokenEndpoint: must be an https/,
  );
  assert.match(errorsOf({ clientSecret: "s3cret" }), /clientSecret: must be a reference/);
  assert.match(errorsOf({ clientSecret: { file: "none.txt" } }), /does not exist|ENOENT/);
  assert.match(errorsOf({ extensions: { auth: "x" } }), /extensions: names are letters/);
  assert.match(errorsOf({ caFile: "none.pem" }), /oauth\.caFile: the file cannot be read/);
  assert.match(errorsOf({ secret: "s3cret" }), /unknown key "secret"/);
  const aws = { region: "Frankfurt am Main" };
  assert.match(inspect(t, { mechanism: "aws-msk-iam", aws }).errors.join(), /name of a region/);
});

test("a file for the token endpoint without a certificate is an error", (t) => {
  const sasl = { mechanism: "oauthbearer", oauth: { ...oauth, caFile: "ca.pem" } };
  const { errors } = inspect(t, sasl, "kafkas://a/t", "nothing");
  assert.match(errors.join(), /sasl\.oauth\.caFile: the file contains no PEM certificate/);
});

test("a token without TLS is a warning", (t) => {
  for (const sasl of [
    { mechanism: "oauthbearer", oauth },
    { mechanism: "aws-msk-iam", aws: { region: "eu-central-1" } },
  ]) {
    const { warnings } = inspect(t, sasl, "kafka://a/t");
    assert.match(warnings.join(), /the access token crosses the network in clear text/);
  }
});

test("why there is no token decides what the pipeline does, and none makes a dead letter", () => {
  const kinds = { unreachable: "reset", refused: "auth", config: "config" } as const;
  for (const [kind, expected] of Object.entries(kinds)) {
    const cause = new TokenError(kind as keyof typeof kinds, "no token", "do this");
    const failure = toKafkaFailure(new Error("retries exceeded", { cause }));
    assert.equal(failure.kind, expected);
    assert.ok(failure.cause instanceof CertwireError);
    assert.equal(failure.cause.hint, "do this");
  }
});

test("a client secret that cannot be read is a failure that is retried", () => {
  const sasl = { mechanism: "oauthbearer", oauth };
  const entry = kafkaSinkOptions.parse({ name: "k", url: "kafkas://a/t", sasl });
  const secret = () => {
    throw new CertwireError("CERTWIRE_CONFIG_INVALID", "no such file", { hint: "write it" });
  };
  const options = resolveKafkaSink(entry, { baseDirectory: "/", secret });
  assert.throws(() => createKafka(options, pino({ level: "silent" })), {
    code: "CERTWIRE_SINK_CONFIG",
    hint: "write it",
  });
});
