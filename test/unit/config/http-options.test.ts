import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "../../../src/config/config-error.ts";
import { parseListenAddress } from "../../../src/config/listen-address.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

const addresses: readonly (readonly [text: string, isLocal: boolean | undefined])[] = [
  ["127.0.0.1:9470", true],
  ["127.1.2.3:1", true],
  ["localhost:65535", true],
  ["[::1]:9470", true],
  ["unix:/run/certwire/http.sock", true],
  ["pipe:certwire", true],
  ["0.0.0.0:9470", false],
  ["192.0.2.1:9470", false],
  ["[::]:9470", false],
  ["[::ffff:127.0.0.1]:9470", false],
  ["ca1.example:9470", undefined],
  ["127.0.0.1", undefined],
  ["127.0.0.1:0", undefined],
  ["127.0.0.1:65536", undefined],
  ["127.0.0.1:9470/metrics", undefined],
  ["127.0.0.1.example:9470", undefined],
  ["[127.0.0.1]:9470", undefined],
  ["::1:9470", undefined],
  [":9470", undefined],
  ["unix:relative", undefined],
  ["pipe:\\\\server\\pipe\\x", undefined],
  ["", undefined],
];

for (const [text, isLocal] of addresses) {
  const words = { true: "of this machine only", false: "open to others", undefined: "refused" };
  test(`the address "${text}" is ${words[`${isLocal}`]}`, () => {
    assert.equal(parseListenAddress(text)?.isLocal, isLocal);
  });
}

function parse(http: object, file = "/etc/certwire.json") {
  const text = JSON.stringify({
    journal: { directory: "j" },
    state: { directory: "s" },
    sinks: [{ name: "files", url: "file:events" }],
    http,
  });
  return parseConfig(file, text);
}

function problemOf(http: object): string {
  try {
    parse(http);
    return "";
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.diagnostics.map(({ path, message }) => `${path}: ${message}`).join("\n");
  }
}

test("an address that other machines can reach needs TLS and a token", (context) => {
  const directory = temporaryDirectory(context);
  const secret = { file: join(directory, "secret") };
  writeFileSync(secret.file, "secret\n");
  const tls = { certificateFile: "http.pem", privateKey: secret };
  const open = { listen: "0.0.0.0:9470" };
  assert.match(problemOf(open), /can reach 0\.0\.0\.0:9470: needs `tls` and `token`/);
  assert.match(problemOf({ ...open, tls }), /needs `token`$/);
  assert.match(problemOf({ ...open, token: secret }), /needs `tls`$/);
  assert.equal(problemOf({ ...open, tls, token: secret }), "");
  assert.equal(problemOf({ listen: "127.0.0.1:9470" }), "");
});

test("a secret that cannot be read is found before anything listens, and is never in the file", () => {
  const gone = { file: "/nowhere/token" };
  assert.match(
    problemOf({ listen: "127.0.0.1:9470", token: gone }),
    /http\.token\.file: the secret/,
  );
  assert.match(problemOf({ listen: "127.0.0.1:9470", token: "hunter2" }), /must be a reference/);
  assert.match(problemOf({ listen: "ca1.example:80" }), /must be an IP address with a port/);
});

test("paths start at the configuration file", () => {
  process.env["HTTP_KEY"] = "key";
  const privateKey = { environment: "HTTP_KEY" };
  const tls = { certificateFile: "http.pem", privateKey };
  const { http } = parse({ listen: "127.0.0.1:9470", tls });
  assert.equal(http?.tls?.certificateFile, "/etc/http.pem");
  assert.equal(http.tls.privateKey(), "key");
});
