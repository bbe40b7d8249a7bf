import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConfigError, type Diagnostic } from "../../../src/config/config-error.ts";
import { inspectConfig } from "../../../src/config/inspect.ts";
import { SeededRandom } from "../../../src/simulate/seeded-random.ts";
import { createEcKey } from "../../../src/simulate/signing-key.ts";
import { buildCertificate } from "../../../src/simulate/x509-builder.ts";

const directory = mkdtempSync(join(tmpdir(), "certwire-inspect-"));
after(() => rmSync(directory, { recursive: true }));

const client = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pkcs8 = { type: "pkcs8", format: "pem" } as const;
const now = Date.parse("2030-06-01T00:00:00Z");

function certificate(notBefore: string, notAfter: string): string {
  const der = buildCertificate(
    {
      serialNumber: "01",
      issuer: [["CN", "Test CA"]],
      subject: [["CN", "client"]],
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      publicKeyInfo: client.publicKey.export({ type: "spki", format: "der" }),
      extensions: [],
    },
    createEcKey(new SeededRandom("inspect"), "P-256"),
  );
  const body = der.toString("base64").replaceAll(/.{64}/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
}

const good = certificate("2030-01-01", "2031-01-01");
const files: Readonly<Record<string, string>> = {
  "good.pem": good,
  "expired.pem": good + certificate("2029-01-01", "2030-05-31"),
  "early.pem": certificate("2030-07-01", "2031-01-01"),
  "text.pem": "no certificate at all\n",
  "damaged.pem": good.replace("MII", "AAA").replace(/^MI../m, "AAAA"),
  "key.pem": String(client.privateKey.export(pkcs8)),
  "key-of-pfx.pem": `Bag Attributes\n    localKeyID: 01\n${String(client.privateKey.export(pkcs8))}`,
  "other-key.pem": String(stranger.privateKey.export(pkcs8)),
  "locked-key.pem": String(
    client.privateKey.export({ ...pkcs8, cipher: "aes-256-cbc", passphrase: "hunter2" }),
  ),
  "password.txt": "hunter2\n",
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);

/** Inspects a configuration with the sink on line 4. */
function inspect(sink: string): { errors: string[]; warnings: string[] } {
  const file = join(directory, "certwire.jsonc");
  const head = '{\n"journal": { "directory": "j" }, "state": { "directory": "s" },\n"sinks": [\n';
  writeFileSync(file, `${head}${sink}\n]}`);
  const texts = (diagnostics: readonly Diagnostic[]): string[] => {
    assert.ok(!JSON.stringify(diagnostics).includes("hunter2"), "a secret is shown");
    return diagnostics.map(
      ({ line, column, path, message }) => `${line}:${column}: ${path}: ${message}`,
    );
  };
  try {
    return { errors: [], warnings: texts(inspectConfig(file, { now }).warnings) };
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.exitCode, 78);
    return { errors: texts(error.diagnostics), warnings: [] };
  }
}

function withTls(tls: string): string {
  return `{ "name": "a", "url": "kafkas://b/t", "tls": ${tls} }`;
}

function withKey(certificateFile: string, key: string): string {
  return withTls(`{ "certificateFile": "${certificateFile}", "privateKey": { "file": "${key}" } }`);
}

interface Case {
  readonly about: string;
  readonly sink: string;
  readonly errors?: readonly string[];
  readonly warnings?: readonly string[];
}

const inClear = "the password crosses the network in clear text";
const sasl = (mechanism: string): string =>
  `"sasl": { "mechanism": "${mechanism}", "username": "u", "password": { "file": "password.txt" } }`;
const rabbit = (url: string): string =>
  `{ "name": "a", "url": "${url}", "password": { "file": "password.txt" } }`;

const noQueueForAll = "no stream or queue of the topology receives every event";
const topology = (members: string): string =>
  `{ "name": "a", "url": "amqp://localhost", "routingKey": "all", "topology": { ${members} } }`;

const cases: readonly Case[] = [
  {
    about: "SASL PLAIN without TLS",
    sink: `{ "name": "a", "url": "kafka://b/t", ${sasl("plain")} }`,
    warnings: [`4:61: sinks[0].sasl.mechanism: ${inClear}`],
  },
  {
    about: "SASL PLAIN with TLS",
    sink: `{ "name": "a", "url": "kafkas://b/t", ${sasl("plain")} }`,
  },
  {
    about: "SCRAM without TLS, from which a password can be guessed offline,",
    sink: `{ "name": "a", "url": "kafka://b/t", ${sasl("scram-sha-512")} }`,
    warnings: [
      "4:61: sinks[0].sasl.mechanism: the SCRAM exchange crosses the network in clear text",
    ],
  },
  {
    about: "a password over amqp:// to another host",
    sink: rabbit("amqp://me@127.0.0.1,broker"),
    warnings: [`4:65: sinks[0].password: ${inClear}`],
  },
  { about: "a password over amqp:// on this host", sink: rabbit("amqp://me@localhost,[::1]") },
  { about: "a password over amqps://", sink: rabbit("amqps://me@broker") },
  {
    about: "a topology whose only queue takes some events",
    sink: topology('"quorumQueues": [{ "name": "q", "bindingKey": "certificate.*" }]'),
    warnings: [`4:76: sinks[0].topology: ${noQueueForAll}`],
  },
  {
    about: "a topology without a queue",
    sink: topology(""),
    warnings: [`4:76: sinks[0].topology: ${noQueueForAll}`],
  },
  {
    about: "a topology with a stream for all events beside it",
    sink: topology(
      '"stream": { "name": "s" }, "quorumQueues": [{ "name": "q", "bindingKey": "crl.*" }]',
    ),
  },
  {
    about: "a topology whose queue is bound with the routing key of all events",
    sink: topology('"quorumQueues": [{ "name": "q", "bindingKey": "all" }]'),
  },
  {
    about: "a disabled sink",
    sink: '{ "name": "a", "enabled": false, "url": "kafkas://b/t", "tls": { "caFile": "none.pem" } }',
  },
  { about: "a good certificate with its key", sink: withKey("good.pem", "key.pem") },
  {
    about: "a file of CAs that is not there",
    sink: withTls('{ "caFile": "none.pem" }'),
    errors: ["4:58: sinks[0].tls.caFile: the file cannot be read: ENOENT"],
  },
  {
    about: "a file of CAs that is a directory",
    sink: withTls('{ "caFile": "." }'),
    errors: ["4:58: sinks[0].tls.caFile: the file cannot be read: EISDIR"],
  },
  {
    about: "a file of CAs without a certificate",
    sink: withTls('{ "caFile": "text.pem" }'),
    errors: ["4:58: sinks[0].tls.caFile: the file contains no PEM certificate"],
  },
  {
    about: "a file of CAs with a damaged certificate",
    sink: withTls('{ "caFile": "damaged.pem" }'),
    errors: ["4:58: sinks[0].tls.caFile: the file contains a damaged certificate"],
  },
  {
    about: "a file of CAs with one that has expired",
    sink: withTls('{ "caFile": "expired.pem" }'),
    warnings: ["4:58: sinks[0].tls.caFile: certificate 2 of 2 expired on 2030-05-31"],
  },
  {
    about: "a client certificate of the future",
    sink: withKey("early.pem", "key.pem"),
    warnings: [
      "4:67: sinks[0].tls.certificateFile: certificate 1 of 1 is not valid until 2030-07-01",
    ],
  },
  {
    about: "a key as OpenSSL takes it out of a PFX file",
    sink: withKey("good.pem", "key-of-pfx.pem"),
  },
  {
    about: "a key of another certificate",
    sink: withKey("good.pem", "other-key.pem"),
    errors: ["4:93: sinks[0].tls.privateKey: the key does not belong to the client certificate"],
  },
  {
    about: "a key with a passphrase",
    sink: withKey("good.pem", "locked-key.pem"),
    errors: ["4:93: sinks[0].tls.privateKey: the secret is not a usable private key"],
  },
  {
    about: "a client certificate without its key",
    sink: withTls('{ "certificateFile": "good.pem" }'),
    errors: ["4:67: sinks[0].tls.certificateFile: needs privateKey too"],
  },
  {
    about: "a key without its certificate",
    sink: withTls('{ "privateKey": { "file": "key.pem" } }'),
    errors: ["4:62: sinks[0].tls.privateKey: needs certificateFile too"],
  },
];

for (const { about, sink, errors = [], warnings = [] } of cases) {
  const result = errors.length > 0 ? "an error" : warnings.length > 0 ? "a warning" : "accepted";
  test(`${about} is ${result}${result === "accepted" ? "" : " at its line and column"}`, () => {
    assert.deepEqual(inspect(sink), { errors, warnings });
  });
}
