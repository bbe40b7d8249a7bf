import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseConfig } from "../../../src/config/load.ts";
import { certificateEnds, inspectCa } from "../../../src/sinks/tls-files.ts";
import { resolveTls } from "../../../src/sinks/tls-options.ts";
import { expiredCertificate, withUnreadableEnd } from "../../support/expired-certificate.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

function certificateFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "certwire-ends-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "one.pem");
  writeFileSync(file, newCertificate(directory, 3));
  return file;
}

function newCertificate(directory: string, days: number): string {
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=one";
  const key = ["-keyout", join(directory, "key.pem"), "-days", String(days)];
  return execFileSync("openssl", [...words.split(" "), ...key], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function endOf(file: string): number | undefined {
  const tls = resolveTls({ caFile: file }, { baseDirectory: "/", secret: () => "" });
  return certificateEnds(tls)[0]?.notAfterMs;
}

test("a file of certificates is parsed again only after it has changed", (t) => {
  const file = certificateFile(t);
  const [written, later] = [1_700_000_000, 1_700_000_002];
  utimesSync(file, written, written);
  const end = endOf(file);
  assert.ok(end !== undefined && end > Date.now());
  const text = readFileSync(file);
  writeFileSync(file, Buffer.alloc(text.length, "x"));
  utimesSync(file, written, written);
  assert.equal(endOf(file), end, "the same file by its time and size");
  utimesSync(file, later, later);
  assert.equal(endOf(file), undefined, "no certificate in it");
  writeFileSync(file, text);
  assert.equal(endOf(file), end);
});

test("a renewed certificate has its new end at once", (t) => {
  const file = certificateFile(t);
  const end = endOf(file) ?? 0;
  writeFileSync(file, newCertificate(join(file, ".."), 300));
  assert.ok((endOf(file) ?? 0) > end);
  rmSync(file);
  assert.equal(endOf(file), undefined);
});

test("a file with two uses has one end, the earliest", (t) => {
  const file = certificateFile(t);
  const first = endOf(file);
  const later = newCertificate(join(file, ".."), 300);
  writeFileSync(file, readFileSync(file, "utf8") + later);
  assert.ok((endOf(file) ?? 0) > (first ?? 0), "as CAs to trust the last");
  const entry = { caFile: file, certificateFile: file };
  const tls = resolveTls(entry, { baseDirectory: "/", secret: () => "" });
  assert.deepEqual(certificateEnds(tls), [{ file, notAfterMs: first }]);
});

test("the CA of a token endpoint is a certificate of the sink", (t) => {
  const file = certificateFile(t);
  const sasl = {
    mechanism: "oauthbearer",
    oauth: {
      tokenEndpoint: "https://idp.example/token",
      clientId: "certwire",
      clientSecret: { file },
      caFile: file,
    },
  };
  const sink = { name: "kafka", url: "kafkas://broker.example/topic", sasl };
  const places = { journal: { directory: "j" }, state: { directory: "s" } };
  const notAfterMs = endOf(file);
  for (const tls of [{ caFile: file }, {}]) {
    const text = JSON.stringify({ ...places, sinks: [{ ...sink, tls }] });
    const config = parseConfig(join(file, "..", "certwire.json"), text);
    assert.deepEqual(config.sinks[0]?.certificates(), [{ file, notAfterMs }]);
  }
});

test("a certificate whose dates cannot be read has no end, and is a warning", (t) => {
  const directory = temporaryDirectory(t);
  const { cert } = expiredCertificate(directory);
  const file = join(directory, "two.pem");
  writeFileSync(file, cert + withUnreadableEnd(cert));
  assert.equal(endOf(file), Date.parse("2020-01-31T00:00:00Z"), "the other one has one");
  writeFileSync(file, withUnreadableEnd(cert));
  assert.equal(endOf(file), undefined);
  assert.deepEqual(
    inspectCa(["tls", "caFile"], file, Date.now()).map(({ message, isWarning }) => [
      message,
      isWarning,
    ]),
    [["the dates of certificate 1 of 1 cannot be read", true]],
  );
});
