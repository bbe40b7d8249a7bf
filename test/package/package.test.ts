import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
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
/** What a simulated CA needs besides, by the guide of the test kit. */
const simulatorLibraries = [
  "@noble/curves",
  "@peculiar/asn1-csr",
  "@peculiar/asn1-schema",
  "@peculiar/asn1-x509",
];
let home = "";
let certwire = "";
/** The same with what a simulated CA needs. */
let simulatorHome = "";
let simulator = "";

/** Packs this checkout and installs the tarball as a user would. */
before(async () => {
  home = await mkdtemp(join(tmpdir(), "certwire-package-"));
  simulatorHome = await mkdtemp(join(tmpdir(), "certwire-simulator-"));
  // A whole `npm test` has built them before.
  const windows = ["certwire_node", "certwire-service"];
  if (!prebuilds.every(existsSync)) await run("bash", ["scripts/build-windows.sh", ...windows]);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", home]);
  const tarball = /"filename":\s*"([^"]+)"/.exec(stdout)?.[1];
  assert.ok(tarball, `npm pack named no file: ${stdout}`);
  // As on a CA without a network: from an empty cache, nothing can be resolved or fetched.
  const cache = ["--offline", "--cache", join(home, "empty-cache")];
  const install = ["install", ...cache, "--no-audit", "--no-fund", "--omit=dev"];
  await run("npm", [...install, "--prefix", home, join(home, tarball)]);
  certwire = join(home, "node_modules/.bin/certwire");
  // npm refuses a library in a version that the package does not allow beside itself.
  const libraries = await packInstalled(simulatorLibraries);
  await run("npm", [...install, "--prefix", simulatorHome, join(home, tarball), ...libraries]);
  simulator = join(simulatorHome, "node_modules/.bin/certwire");
});

/** Tarballs of packages of this checkout and of all that they need. */
async function packInstalled(names: readonly string[]): Promise<string[]> {
  const { stdout: directories } = await run("node", ["scripts/npm-closure.mjs", ...names]);
  const specs = directories
    .trim()
    .split("\n")
    .map((directory) => `./${directory}`);
  const flags = ["--ignore-scripts", "--pack-destination", simulatorHome];
  const { stdout } = await run("npm", ["pack", ...flags, ...specs]);
  return stdout
    .trim()
    .split("\n")
    .map((tarball) => join(simulatorHome, tarball));
}

after(async () => {
  await rm(home, { recursive: true, force: true });
  await rm(simulatorHome, { recursive: true, force: true });
});

test("the installed package prints its version", async () => {
  const { stdout } = await run(certwire, ["--version"]);
  assert.match(stdout, /^\d+\.\d+\.\d+/);
});

test("the installed package records and replays events with the addon that it carries", async () => {
  const journal = join(simulatorHome, "journal");
  await run(simulator, ["simulate", "--journal", journal, "--count", "12", "--rate", "200"]);
  const { stdout } = await run(certwire, ["replay", "--journal", journal, "--stdout"]);
  const events = stdout.trim().split("\n");
  const kinds = events.map((line) => (JSON.parse(line) as { type: string }).type);
  assert.ok(kinds.includes("io.certwire.ca.started.v1"), kinds.join(", "));
  assert.ok(kinds.length >= 12, `${kinds.length} events`);
});

/** The command that installs what a simulated CA needs, as errors name it. */
const installCommand = `npm install --save-dev ${simulatorLibraries.map((name) => `${name}@2`).join(" ")}`;

test("without the libraries of a simulated CA its commands and the test kit name the command of the guide", async () => {
  const guide = readFileSync("docs/how-to/test-with-certwire.md", "utf8");
  assert.ok(guide.includes(`\n${installCommand}\n`), installCommand);
  const without = [
    () => run(certwire, ["simulate", "--journal", join(home, "journal"), "--count", "3"]),
    () => run(certwire, ["demo", "--directory", join(home, "demo"), "--count", "3"]),
    () => runKit("testCa().issue();", home),
  ];
  for (const running of without) {
    await assert.rejects(running, (error: { stderr: string }) => {
      assert.match(error.stderr, /A simulated CA needs the package @(?:noble|peculiar)\//);
      assert.match(error.stderr, /CERTWIRE_OPTIONAL_LIBRARY/);
      assert.ok(error.stderr.includes(installCommand), error.stderr);
      return true;
    });
  }
});

test("the installed package serves the status page that it carries", () =>
  assertServesPage(join(home, "node_modules/certwire/dist/cli/main.js")));

test("without the simulated CA, as on a CA, the other commands work, and its own say what is missing", async () => {
  const journal = join(simulatorHome, "bare-journal");
  await run(simulator, ["simulate", "--journal", journal, "--count", "3", "--rate", "200"]);
  const folder = join(simulatorHome, "node_modules/certwire/dist/simulate");
  await rename(folder, join(simulatorHome, "simulate"));
  try {
    const { stdout } = await run(simulator, ["journal", "cat", "--journal", journal]);
    assert.ok(stdout.includes("io.certwire.ca.started.v1"), stdout);
    const simulating = run(simulator, ["simulate", "--journal", journal, "--count", "3"]);
    await assert.rejects(simulating, (error: { stderr: string }) => {
      assert.match(error.stderr, /the simulated CA is not part of this installation/);
      return true;
    });
  } finally {
    await rename(join(simulatorHome, "simulate"), folder);
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
  const root = join(simulatorHome, "node_modules/certwire");
  const away = ["prebuilds", "dist/native"];
  const moved = away.map(
    (path, at) => [join(root, path), join(simulatorHome, `away-${at}`)] as const,
  );
  const postQuantum = join(simulatorHome, "node_modules/@noble/post-quantum");
  for (const [from, to] of moved) await rename(from, to);
  try {
    const missing = runKit('testCa({ key: "ml-dsa-44" });', simulatorHome);
    await assert.rejects(missing, (error: { stderr: string }) => {
      assert.match(error.stderr, /ML-DSA keys need the package @noble\/post-quantum/);
      assert.match(error.stderr, /CERTWIRE_OPTIONAL_LIBRARY/);
      assert.match(error.stderr, /npm install --save-dev @noble\/post-quantum@0/);
      return true;
    });
    const statements = `
      const ca = testCa({ key: "rsa-2048" });
      ca.revoke(ca.issue({ key: "p-521" }));
      ca.publishCrl();
      await publish(ca.events, "stdout:");
      await writeRecording("recording.ndjson", ca.events);
      await replay("recording.ndjson", "stdout:", { types: ["crl.issued"] });`;
    const { stdout } = await runKit(statements, simulatorHome);
    const kinds = stdout.match(/(?<="type":"io\.certwire\.)[a-z.]+(?=\.v1")/g);
    const crls = ["crl.issued", "crl.issued"];
    const published = ["ca.started", "certificate.issued", "certificate.revoked", ...crls];
    assert.deepEqual(kinds, [...published, ...crls]);
    await symlink(resolve("node_modules/@noble/post-quantum"), postQuantum);
    await runKit('testCa({ key: "ml-dsa-65" }).issue({ key: "ml-dsa-44" });', simulatorHome);
  } finally {
    for (const [from, to] of moved) await rename(to, from);
    await rm(postQuantum, { force: true });
  }
  assert.ok(existsSync(join(root, "dist/testing/index.d.ts")));
});

test("a library that lacks one of its own is not reported as missing itself", async () => {
  const needed = join(simulatorHome, "node_modules/tslib");
  await rename(needed, join(simulatorHome, "tslib"));
  try {
    await assert.rejects(runKit("testCa();", simulatorHome), (error: { stderr: string }) => {
      assert.match(error.stderr, /Cannot find module 'tslib'/);
      assert.doesNotMatch(error.stderr, /CERTWIRE_OPTIONAL_LIBRARY/);
      return true;
    });
  } finally {
    await rename(join(simulatorHome, "tslib"), needed);
  }
});

test("the types of the test kit need no library", async () => {
  const program = join(home, "types.mts");
  await writeFile(
    program,
    `import { type KeyKind, testCa } from "certwire/testing";
    const key: KeyKind = "p-256";
    testCa({ key }).issue({ sans: [{ dns: "www.example.com" }] });`,
  );
  const flags = ["--ignoreConfig", "--noEmit", "--strict", "--module", "nodenext"];
  const nodeTypes = ["--typeRoots", resolve("node_modules/@types"), "--types", "node"];
  await run(resolve("node_modules/.bin/tsc"), [...flags, ...nodeTypes, program], { cwd: home });
});

/** Runs statements that use the test kit of an installed package; loading any addon is an error. */
function runKit(statements: string, cwd: string) {
  const program = `
    process.dlopen = () => { throw new Error("an addon is loaded"); };
    const { publish, replay, testCa, writeRecording } = await import("certwire/testing");
    ${statements}`;
  return run(process.execPath, ["--input-type=module", "--eval", program], { cwd });
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
