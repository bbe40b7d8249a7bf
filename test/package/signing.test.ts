import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { assertSha256, assertSignedByNode, fetchNode } from "../../scripts/release/node-runtime.ts";
import { signFile, signingFrom, verifySignature } from "../../scripts/release/signing.ts";
import { runCommand } from "../integration/support/run-command.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { until } from "../support/until.ts";
import { makeSigner, type TestSigner } from "./support/signer.ts";
import { binaries, epochSeconds, windowsBinaries } from "./support/staged.ts";

let windows = "";
let signer: TestSigner;

before(async () => {
  windows = await windowsBinaries();
  signer = makeSigner();
});

/** The variables of a release that this signer signs. */
const environment = ({ root, certificate, key, passwordFile }: TestSigner): NodeJS.ProcessEnv => ({
  CERTWIRE_SIGN_CERT: certificate,
  CERTWIRE_SIGN_KEY: key,
  CERTWIRE_SIGN_PASSWORD_FILE: passwordFile,
  CERTWIRE_SIGN_ROOT: root,
});

/** A signed copy of a binary in a directory of its own. */
function signed(name: string): string {
  const path = join(makeTempDirectory("signed"), name);
  copyFileSync(join(windows, name), path);
  assert.ok(signFile(path, signingFrom(environment(signer)), epochSeconds));
  return path;
}

function changeByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
}

for (const name of binaries) {
  test(`${name} is signed, the same each time, and without its signature it is the unsigned file`, async () => {
    const path = signed(name);
    verifySignature(path, signer.root);
    assert.deepEqual(readFileSync(signed(name)), readFileSync(path));
    const bare = `${path}.bare`;
    await runCommand("osslsigncode", ["remove-signature", "-in", path, "-out", bare]);
    assert.deepEqual(readFileSync(bare), readFileSync(join(windows, name)));
  });
}

test("a file that was changed after it was signed, or that another CA has signed, is refused", () => {
  const path = signed("certwire-exit.dll");
  const other = makeSigner();
  assert.throws(() => verifySignature(path, other.root), /osslsigncode verify failed/);
  assert.throws(() => verifySignature(path), /osslsigncode verify failed/);
  changeByte(path, 4096);
  assert.throws(() => verifySignature(path, signer.root), /osslsigncode verify failed/);
});

test("a signature that was made elsewhere makes the same file", async () => {
  const path = signed("certwire-exit.dll");
  const signatures = join(makeTempDirectory("signatures"), "signatures");
  mkdirSync(signatures);
  const signature = join(signatures, "certwire-exit.dll.p7");
  await runCommand("osslsigncode", ["extract-signature", "-in", path, "-out", signature]);
  const copy = join(makeTempDirectory("attached"), "certwire-exit.dll");
  copyFileSync(join(windows, "certwire-exit.dll"), copy);
  const signing = signingFrom({ CERTWIRE_SIGN_ROOT: signer.root }, signatures);
  assert.ok(signFile(copy, signing, epochSeconds));
  assert.deepEqual(readFileSync(copy), readFileSync(path));

  const service = join(makeTempDirectory("attached"), "certwire-service.exe");
  copyFileSync(join(windows, "certwire-service.exe"), service);
  assert.equal(signFile(service, signing, epochSeconds), false, "it has no signature here");
  copyFileSync(signature, join(signatures, "certwire-service.exe.p7"));
  assert.throws(() => signFile(service, signing, epochSeconds), /attach-signature failed/);
  assert.deepEqual(readFileSync(service), readFileSync(join(windows, "certwire-service.exe")));
});

test("a key in a PKCS#11 token signs the same file", async (t) => {
  const directory = makeTempDirectory("token");
  const path = (name: string): string => join(directory, name);
  mkdirSync(path("tokens"));
  writeFileSync(path("softhsm.conf"), `directories.tokendir = ${path("tokens")}\n`);
  writeFileSync(path("pin"), "1234");
  const outer = process.env["SOFTHSM2_CONF"];
  process.env["SOFTHSM2_CONF"] = path("softhsm.conf");
  t.after(() => {
    if (outer === undefined) delete process.env["SOFTHSM2_CONF"];
    else process.env["SOFTHSM2_CONF"] = outer;
  });
  const pins = ["--pin", "1234", "--so-pin", "5678"];
  await runCommand("softhsm2-util", ["--init-token", "--free", "--label", "release", ...pins]);
  const password = ["-passin", `file:${signer.passwordFile}`];
  const plain = [
    "pkcs8",
    "-topk8",
    "-nocrypt",
    "-in",
    signer.key,
    "-out",
    path("key"),
    ...password,
  ];
  await runCommand("openssl", plain);
  const object = ["--label", "signer", "--id", "01", "--pin", "1234"];
  await runCommand("softhsm2-util", ["--import", path("key"), "--token", "release", ...object]);
  const copy = path("certwire-exit.dll");
  copyFileSync(join(windows, "certwire-exit.dll"), copy);
  const signing = signingFrom({
    ...environment(signer),
    CERTWIRE_SIGN_KEY: "pkcs11:token=release;object=signer",
    CERTWIRE_SIGN_PKCS11_MODULE: "/usr/lib/softhsm/libsofthsm2.so",
    CERTWIRE_SIGN_PASSWORD_FILE: path("pin"),
  });
  assert.ok(signFile(copy, signing, epochSeconds));
  assert.deepEqual(readFileSync(copy), readFileSync(signed("certwire-exit.dll")));
});

test("a time stamp says when a file was signed", async (t) => {
  const addressFile = join(makeTempDirectory("tsa"), "address");
  const program = join(import.meta.dirname, "support", "timestamp-server.js");
  const server = spawn(process.execPath, [program, signer.directory, addressFile], {
    stdio: "inherit",
  });
  t.after(() => server.kill("SIGKILL"));
  await until(() => existsSync(addressFile), "the authority listens");
  const path = join(makeTempDirectory("signed"), "certwire-exit.dll");
  copyFileSync(join(windows, "certwire-exit.dll"), path);
  const signing = signingFrom({
    ...environment(signer),
    CERTWIRE_SIGN_TIMESTAMP_URL: readFileSync(addressFile, "utf8"),
  });
  assert.ok(signFile(path, signing, epochSeconds));
  const roots = ["-CAfile", signer.root, "-TSA-CAfile", signer.root];
  const output = await runCommand("osslsigncode", ["verify", ...roots, "-in", path]);
  assert.match(output.toString(), /Certwire test TSA/);
  assert.throws(() => verifySignature(path, makeSigner().root), /osslsigncode verify failed/);
});

test("variables that do not fit together are named", () => {
  const { certificate, key, root } = signer;
  assert.deepEqual(signingFrom({ PATH: "/bin" }), {});
  const cases = [
    [{ CERTWIRE_SIGN_CERT: certificate }, undefined, /CERTWIRE_SIGN_KEY belong together/],
    [{ CERTWIRE_SIGN_KEY: key }, undefined, /CERTWIRE_SIGN_CERT and/],
    [{ CERTWIRE_SIGN_CERT: certificate, CERTWIRE_SIGN_KEY: "/no" }, undefined, /^\/no, needed/],
    [
      { CERTWIRE_SIGN_CERT: certificate, CERTWIRE_SIGN_KEY: "pkcs11:object=x" },
      undefined,
      /set CERTWIRE_SIGN_PKCS11_MODULE/,
    ],
    [environment(signer), ".", /--signatures exclude each other/],
    [{ CERTWIRE_SIGN_ROOT: root }, "/none", /^\/none, needed to sign, does not exist/],
  ] as const;
  for (const [variables, signatures, expected] of cases) {
    assert.throws(
      () => signingFrom(variables, signatures),
      (error: Error) => expected.test(error.message),
    );
  }
});

test("a wrong password is an error that does not show it", () => {
  const passwordFile = join(makeTempDirectory("password"), "password");
  writeFileSync(passwordFile, "a wrong password");
  const path = join(makeTempDirectory("signed"), "certwire-exit.dll");
  copyFileSync(join(windows, "certwire-exit.dll"), path);
  const signing = signingFrom(environment({ ...signer, passwordFile }));
  assert.throws(
    () => signFile(path, signing, epochSeconds),
    ({ message }: Error) => /sign failed/.test(message) && !message.includes("a wrong password"),
  );
});

for (const line of ["24", "22"] as const) {
  test(`node.exe of line ${line} is the pinned file, as the OpenJS Foundation signed it`, () => {
    const node = fetchNode(line);
    const changed = join(makeTempDirectory("node"), "node.exe");
    copyFileSync(node.executable, changed);
    changeByte(changed, 1_000_000);
    assert.throws(
      () => assertSha256(changed, node.sha256),
      /has the SHA-256 [0-9a-f]{64}, expected/,
    );
    assert.throws(() => assertSignedByNode(changed), /has no valid signature/);
  });
}

test("a program that nobody or somebody else has signed is not taken for node.exe", () => {
  const unsigned = join(windows, "certwire-service.exe");
  assert.throws(() => assertSignedByNode(unsigned), /has no valid signature/);
  const path = signed("certwire-service.exe");
  assert.throws(() => assertSignedByNode(path), /is signed by \/CN=Certwire test signer, expected/);
});
