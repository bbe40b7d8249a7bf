import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { describeCause } from "../../../src/errors/describe-cause.ts";
import { loadTls, resolveTls } from "../../../src/sinks/tls-options.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = String(privateKey.export({ type: "pkcs8", format: "pem" }));

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "certwire-tls-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test("the key is read at each connection, since it is renewed with its certificate", (t) => {
  const baseDirectory = temporaryDirectory(t);
  let reads = 0;
  const secret = (): string => {
    reads += 1;
    return pem;
  };
  const options = resolveTls({ privateKey: { file: "key" } }, { baseDirectory, secret });
  loadTls(options);
  loadTls(options);
  assert.equal(reads, 2);
});

test("files that cannot be used are a config error that shows no key", (t) => {
  const baseDirectory = temporaryDirectory(t);
  writeFileSync(join(baseDirectory, "damaged.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n");
  const secret = (): string => "hunter2";
  const wrong = [
    { caFile: "none.pem" },
    { certificateFile: "damaged.pem" },
    { privateKey: { environment: "KEY" } },
  ];
  for (const entry of wrong) {
    assert.throws(
      () => loadTls(resolveTls(entry, { baseDirectory, secret })),
      (error) => {
        assert.ok(error instanceof CertwireError);
        assert.equal(error.code, "CERTWIRE_SINK_CONFIG");
        assert.match(error.hint, /certwire check/);
        assert.ok(!describeCause(error).includes("hunter2"));
        return true;
      },
    );
  }
});
