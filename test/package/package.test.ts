import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { assertServesPage } from "./support/served-page.ts";

const run = promisify(execFile);
const prebuilds = [
  "prebuilds/linux-x64/certwire.node",
  "prebuilds/win32-x64/certwire.node",
  "prebuilds/win32-x64/certwire-service.exe",
];
let home = "";
let certwire = "";

/** Packs this checkout and installs the tarball as a user would. */
before(async () => {
  home = await mkdtemp(join(tmpdir(), "certwire-package-"));
  // A whole `npm test` has built them before.
  const windows = ["certwire_node", "certwire-service"];
  if (!prebuilds.every(existsSync)) await run("bash", ["scripts/build-windows.sh", ...windows]);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", home]);
  const tarball = /"filename":\s*"([^"]+)"/.exec(stdout)?.[1];
  assert.ok(tarball, `npm pack named no file: ${stdout}`);
  // As on a CA without a network: from an empty cache, nothing can be resolved or fetched.
  const cache = ["--offline", "--cache", join(home, "empty-cache")];
  const flags = [...cache, "--no-audit", "--no-fund", "--omit=dev", "--prefix", home];
  await run("npm", ["install", ...flags, join(home, tarball)]);
  certwire = join(home, "node_modules/.bin/certwire");
});

after(() => rm(home, { recursive: true, force: true }));

test("the installed package prints its version", async () => {
  const { stdout } = await run(certwire, ["--version"]);
  assert.match(stdout, /^\d+\.\d+\.\d+/);
});

test("the installed package records and replays events with the addon that it carries", async () => {
  const journal = join(home, "journal");
  await run(certwire, ["simulate", "--journal", journal, "--count", "12", "--rate", "200"]);
  const { stdout } = await run(certwire, ["replay", "--journal", journal, "--stdout"]);
  const events = stdout.trim().split("\n");
  const kinds = events.map((line) => (JSON.parse(line) as { type: string }).type);
  assert.ok(kinds.includes("io.certwire.ca.started.v1"), kinds.join(", "));
  assert.ok(kinds.length >= 12, `${kinds.length} events`);
});

test("the installed package serves the status page that it carries", () =>
  assertServesPage(join(home, "node_modules/certwire/dist/cli/main.js")));

test("without the simulated CA, as on a CA, the other commands work, and its own say what is missing", async () => {
  const journal = join(home, "bare-journal");
  await run(certwire, ["simulate", "--journal", journal, "--count", "3", "--rate", "200"]);
  const simulate = join(home, "node_modules/certwire/dist/simulate");
  await rename(simulate, join(home, "simulate"));
  try {
    const { stdout } = await run(certwire, ["journal", "cat", "--journal", journal]);
    assert.ok(stdout.includes("io.certwire.ca.started.v1"), stdout);
    const simulating = run(certwire, ["simulate", "--journal", journal, "--count", "3"]);
    await assert.rejects(simulating, (error: { stderr: string }) => {
      assert.match(error.stderr, /the simulated CA is not part of this installation/);
      return true;
    });
  } finally {
    await rename(join(home, "simulate"), simulate);
  }
});

test("the SDK for consumers is imported without any addon, and without a client of a broker", async () => {
  const root = join(home, "node_modules/certwire");
  const away = ["prebuilds", "dist/native", "node_modules/kafkajs", "node_modules/amqplib"];
  const moved = away.map((path, at) => [join(root, path), join(home, `away-${at}`)] as const);
  for (const [from, to] of moved) await rename(from, to);
  try {
    const program = `
      process.dlopen = () => { throw new Error("an addon is loaded"); };
      const { Consumer, kafkaTopic, rabbitMqQueue } = await import("certwire/consumer");
      const handlers = { otherwise: () => undefined };
      new Consumer({ handlers, source: rabbitMqQueue({ connection: "amqp://localhost", queue: "q" }) });
      const client = { brokers: ["localhost:9092"] };
      new Consumer({ handlers, source: kafkaTopic({ client, topic: "t", groupId: "g" }) });
      console.log("imported");`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: home,
    });
    assert.equal(stdout, "imported\n");
  } finally {
    for (const [from, to] of moved) await rename(to, from);
  }
  assert.ok(existsSync(join(root, "dist/consumer/index.d.ts")));
});

test("the test kit works without any addon, and names the libraries that are not installed", async () => {
  const root = join(home, "node_modules/certwire");
  const away = ["prebuilds", "dist/native"];
  const moved = away.map((path, at) => [join(root, path), join(home, `away-${at}`)] as const);
  const libraries = join(home, "node_modules/@noble");
  for (const [from, to] of moved) await rename(from, to);
  try {
    const missing = runKit('testCa({ key: "ml-dsa-44" });');
    await assert.rejects(missing, (error: { stderr: string }) => {
      assert.match(error.stderr, /ML-DSA keys need the package @noble\/post-quantum/);
      assert.match(error.stderr, /CERTWIRE_TESTING_LIBRARY/);
      assert.match(error.stderr, /npm install --save-dev @noble\/post-quantum/);
      return true;
    });
    const { stdout } = await runKit(`
      const ca = testCa({ key: "rsa-2048" });
      ca.revoke(ca.issue({ key: "p-521" }));
      ca.publishCrl();
      await publish(ca.events, "stdout:");
      await writeRecording("recording.ndjson", ca.events);
      await replay("recording.ndjson", "stdout:", { types: ["crl.issued"] });`);
    const kinds = stdout.match(/(?<="type":"io\.certwire\.)[a-z.]+(?=\.v1")/g);
    const crls = ["crl.issued", "crl.issued"];
    const published = ["ca.started", "certificate.issued", "certificate.revoked", ...crls];
    assert.deepEqual(kinds, [...published, ...crls]);
    await symlink(resolve("node_modules/@noble"), libraries);
    await runKit('testCa({ key: "ml-dsa-65" }).issue({ key: "ml-dsa-44" });');
  } finally {
    for (const [from, to] of moved) await rename(to, from);
    await rm(libraries, { force: true });
  }
  assert.ok(existsSync(join(root, "dist/testing/index.d.ts")));
});

/** Runs statements that use the test kit of the installed package; loading any addon is an error. */
function runKit(statements: string) {
  const program = `
    process.dlopen = () => { throw new Error("an addon is loaded"); };
    const { publish, replay, testCa, writeRecording } = await import("certwire/testing");
    ${statements}`;
  return run(process.execPath, ["--input-type=module", "--eval", program], { cwd: home });
}

test("the package carries both addons and the Windows service with their licences, and no test, C++ source or other compiled addon", () => {
  const root = join(home, "node_modules/certwire");
  for (const path of ["test", "addon", "build", "var"]) {
    assert.equal(existsSync(join(root, path)), false, path);
  }
  for (const path of [...prebuilds, "LICENSE", "THIRD-PARTY-NOTICES.md"]) {
    assert.ok(existsSync(join(root, path)), path);
  }
});

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

function manifestIn(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;
}

test("the package carries every dependency in the version of the lock file, without scripts of theirs", () => {
  const root = join(home, "node_modules/certwire");
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Record<string, { version: string; dev?: boolean }>;
  };
  const locked = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && !dev);
  assert.ok(locked.length > 10, `${locked.length} packages`);
  for (const [path, { version }] of locked) {
    const manifest = manifestIn(join(root, path));
    assert.equal(manifest.version, version, path);
    for (const script of ["preinstall", "install", "postinstall"]) {
      assert.equal(manifest.scripts?.[script], undefined, `${path}: ${script}`);
    }
  }
  for (const [name, version] of Object.entries(manifestIn(root).dependencies ?? {})) {
    assert.match(version, /^\d+\.\d+\.\d+$/, `${name} is pinned`);
  }
  const beside = readdirSync(join(home, "node_modules")).filter((name) => !name.startsWith("."));
  assert.deepEqual(beside, ["certwire"]);
});

test("without its addons nothing is packed, and both commands that build them are named", async () => {
  const checkout = join(home, "checkout");
  await cp("scripts/prepack.sh", join(checkout, "scripts/prepack.sh"));
  await cp("package.json", join(checkout, "package.json"));
  const packing = run("npm", ["pack", "--pack-destination", home], { cwd: checkout });
  await assert.rejects(packing, (error: { stderr: string }) => {
    assert.match(error.stderr, /^ {2}bash scripts\/build-native\.sh$/m);
    assert.match(error.stderr, /^ {2}bash scripts\/build-windows\.sh$/m);
    return true;
  });
});
