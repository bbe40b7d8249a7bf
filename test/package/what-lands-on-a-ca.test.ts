import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { documentation, filesOf, type Stage } from "../../scripts/release/stage.ts";
import { alerts } from "../../src/health/alerts.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { runCli } from "../support/run-cli.ts";
import { assertServesPage } from "./support/served-page.ts";
import { stagedTree } from "./support/staged.ts";

let stage: Stage;

before(async () => {
  stage = await stagedTree("24");
});

test("these files land on a CA", () => {
  assert.deepEqual(filesOf(stage.directory), [
    "LICENSE-node.txt",
    "LICENSE.txt",
    "NOTICES.txt",
    "README.txt",
    "app/certwire.mjs",
    ...documentation()
      .map((page) => `app/${page}`)
      .toSorted(),
    "app/package.json",
    "app/page/icon.svg",
    "app/page/index.html",
    "app/page/page.css",
    "app/page/page.js",
    "app/prebuilds/win32-x64/certwire.node",
    "certwire-exit.dll",
    "certwire-service.exe",
    "certwire.cmd",
    "config/certwire.example.jsonc",
    "config/kafka.example.jsonc",
    "config/rabbitmq.example.jsonc",
    "config/schema.json",
    "node.exe",
    "sbom.cdx.json",
  ]);
});

test("every page that the source names is installed", () => {
  const installed = new Set(filesOf(stage.directory));
  for (const name of Object.keys(alerts)) {
    assert.ok(installed.has(`app/docs/how-to/runbooks/${name}.md`), name);
  }
  const named = filesOf("src").flatMap((file) =>
    // In texts, not in comments: those are for people with the sources.
    readFileSync(join("src", file), "utf8")
      .split("\n")
      .filter((line) => !/^\s*(?:\*|\/[/*])/.test(line))
      .flatMap(
        (line) => line.match(/(?:how-to|reference|explanation|tutorial)\/[\w/-]+\.md/g) ?? [],
      ),
  );
  assert.ok(named.length > 10, String(named.length));
  assert.deepEqual(
    named.filter((page) => !installed.has(`app/docs/${page}`)),
    [],
  );
});

test("these packages of others are inside the service and its status page", () => {
  assert.deepEqual(
    stage.packages.map(({ name }) => name),
    [
      "@opentelemetry/api",
      "@pinojs/redact",
      "amqplib",
      "atomic-sleep",
      "bintrees",
      "commander",
      "jsonc-parser",
      "kafkajs",
      "node-gyp-build",
      "on-exit-leak-free",
      "pino",
      "pino-std-serializers",
      "preact",
      "prom-client",
      "quick-format-unescaped",
      "safe-stable-stringify",
      "sonic-boom",
      "tdigest",
      "thread-stream",
      "uplot",
      "zod",
    ],
  );
});

test("the notices hold the licence of every package inside, and of the runtime of the compiler", () => {
  const notices = readFileSync(join(stage.directory, "NOTICES.txt"), "utf8");
  for (const { name, version } of stage.packages) {
    const heading = new RegExp(`\r\n## ${name}(?: ${version})?\r\n`, "i");
    const [, section = ""] = notices.split(heading);
    assert.match(
      section.split("\r\n## ")[0] ?? "",
      /Permission is hereby granted|Apache License/,
      name,
    );
  }
  assert.match(notices, /GCC Runtime Library Exception/);
});

/** The service as it lands on a CA, alone in its directory, with the addon of this platform. */
function installedProgram(): string {
  const app = join(makeTempDirectory("app"), "app");
  cpSync(join(stage.directory, "app"), app, { recursive: true });
  cpSync("prebuilds/linux-x64", join(app, "prebuilds", "linux-x64"), { recursive: true });
  return join(app, "certwire.mjs");
}

function installedHere(): (...words: string[]) => ReturnType<typeof run> {
  const program = installedProgram();
  return (...words) => run(program, words);
}

async function run(program: string, words: readonly string[]) {
  const result = promisify(execFile)(process.execPath, [program, ...words]);
  const { stdout, stderr } = await result.catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return { exitCode: result.child.exitCode, stdout, stderr };
}

test("the service runs from its one file, with its addon", async () => {
  const certwire = installedHere();
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  assert.equal((await certwire("--version")).stdout, `${version}\n`);
  const journal = join(makeTempDirectory("journal"), "journal");
  await runCli("simulate", "--journal", journal, "--count", "20", "--rate", "0");
  const { stdout } = await certwire("replay", "--journal", journal, "--stdout");
  assert.equal(stdout, (await runCli("replay", "--journal", journal, "--stdout")).stdout);
  assert.ok(stdout.split("\n").length > 20);
  assert.match((await certwire("explain", "40")).stdout, /^Event-log entry 40: program ended/);
  assert.match((await certwire("explain", "CertwireDown")).stdout, /^CertwireDown\n/);
});

test("the service serves its status page from the files beside it", () =>
  assertServesPage(installedProgram()));

test("the simulated CA is not part of it, and its commands say so", async () => {
  const certwire = installedHere();
  const journal = join(makeTempDirectory("journal"), "journal");
  for (const words of [["simulate", "--journal", journal], ["demo"]]) {
    const { exitCode, stderr } = await certwire(...words);
    assert.equal(exitCode, 2);
    assert.match(stderr, /the simulated CA is not part of this installation/);
  }
});

test("the clients of both brokers work in it, with the patches of their insides", async (t) => {
  const certwire = installedHere();
  // Speaks neither protocol: amqplib says what it speaks only when it is patched.
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end("SSH-2.0-OpenSSH_9.2\r\n");
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const directory = makeTempDirectory("check");
  mkdirSync(join(directory, "journal"));
  const config = join(directory, "certwire.json");
  const check = (url: string, ...flags: string[]) => {
    const text = JSON.stringify({
      journal: { directory: join(directory, "journal") },
      state: { directory: join(directory, "state") },
      sinks: [{ name: "broker", url }],
    });
    writeFileSync(config, text);
    return certwire("check", "--config", config, ...flags);
  };
  const offline = await check(`kafka://127.0.0.1:${port}/events`, "--offline");
  assert.equal(offline.exitCode, 0, offline.stderr);
  const kafka = await check(`kafka://127.0.0.1:${port}/events`);
  assert.equal(kafka.exitCode, 69, kafka.stderr);
  const rabbitMq = await check(`amqp://127.0.0.1:${port}/?exchange=events`);
  assert.equal(rabbitMq.exitCode, 78, rabbitMq.stderr);
  assert.match(`${rabbitMq.stdout}${rabbitMq.stderr}`, /does not speak AMQP 0-9-1 but SSH/);
});
