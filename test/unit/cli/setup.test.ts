import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { planFiles } from "../../../src/cli/setup/files.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { CliTerminal } from "../../support/cli-terminal.ts";
import { startFakeRabbitMq } from "../../support/fake-rabbitmq.ts";
import { FakeWindows } from "../../support/fake-windows.ts";
import { runCli, temporaryDirectory } from "../../support/run-cli.ts";

/** A directory with a journal, and the options that keep a setup inside it. */
function prepare(t: TestContext) {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, "journal"));
  const config = join(directory, "config", "certwire.jsonc");
  const places = ["--journal", join(directory, "journal"), "--state", join(directory, "state")];
  const names = (): string[] =>
    readdirSync(directory, { recursive: true, encoding: "utf8" }).toSorted();
  return { directory, config, words: ["setup", "-c", config, ...places], names };
}

test("setup writes a commented configuration that the service loads, and checks it", async (t) => {
  const { directory, config, words } = prepare(t);
  const passwords = join(directory, "passwords.txt");
  writeFileSync(passwords, "hunter2\n");
  const kafkaWords = ["--kafka", "kafkas://b1:9093,b2:9093/certwire.events"];
  const userWords = ["--kafka-username", "ca 1", "--kafka-mechanism", "plain"];
  const fileWords = ["--kafka-password-file", passwords, "--rabbitmq-password-file", passwords];
  const rabbitWords = ["--rabbitmq", "amqps://ca1@rabbit/pki?exchange=events"];
  const all = [...words, ...kafkaWords, ...userWords, ...rabbitWords, ...fileWords, "--offline"];
  const { exitCode, stdout, stderr } = await runCli(...all);
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /^ok +configuration .*2 sinks enabled/m);
  assert.match(stderr, /certwire run --config/);
  const text = readFileSync(config, "utf8");
  assert.match(text, /^ +\/\/ The topic must exist/m);
  assert.ok(!text.includes("hunter2"));
  const loaded = loadConfig(config);
  assert.deepEqual(
    [loaded.journal.directory, loaded.state.directory],
    [join(directory, "journal"), join(directory, "state")],
  );
  const places = loaded.sinks.map(({ kind, destination }) => `${kind}: ${destination}`);
  assert.match(places[0] ?? "", /kafka: topic certwire\.events on b1:9093, b2:9093/);
  assert.match(places[1] ?? "", /rabbitmq: exchange events on rabbit:5671/);
});

const kafka = ["--kafka", "kafkas://broker/topic"];
const missing: readonly (readonly [about: string, words: readonly string[], told: RegExp])[] = [
  ["a sink", [], /there is no sink\nhint: Give --kafka URL, --rabbitmq URL or both\./],
  [
    "a password of Kafka",
    [...kafka, "--kafka-username", "me"],
    /password of me\nhint: .*give --kafka-password-file FILE/,
  ],
  [
    "a password of RabbitMQ",
    ["--rabbitmq", "amqp://me@host"],
    /password of me\nhint: .*give --rabbitmq-password-file FILE/,
  ],
  ["a topic", ["--kafka", "kafka://host"], /--kafka: the URL names no topic/],
  ["TLS for its CA file", ["--kafka", "kafka://h/t", "--kafka-ca-file", "x"], /needs a kafkas:/],
  ["the user of a password", [...kafka, "--kafka-password-file", "x"], /needs --kafka-username/],
  ["Kafka for its user", ["--rabbitmq", "amqp://h", "--kafka-username", "x"], /needs --kafka\n/],
  ["--enable for --restart-ca", [...kafka, "--restart-ca"], /--restart-ca needs --enable/],
  ["Windows for --start", [...kafka, "--start"], /CERTWIRE_WINDOWS_ONLY/],
  ["Windows for --enable", [...kafka, "--enable"], /CERTWIRE_WINDOWS_ONLY/],
];
for (const [about, words, told] of missing) {
  test(`without a terminal and ${about}, setup says what to give, and writes nothing`, async (t) => {
    const { words: places, names } = prepare(t);
    const { exitCode, stderr } = await runCli(...places, ...words);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, told);
    assert.deepEqual(names(), ["journal"]);
  });
}

test("a password in a URL is refused and never repeated", async (t) => {
  const { words } = prepare(t);
  for (const url of [
    ["--kafka", "kafkas://me:hunter2@broker/topic"],
    ["--rabbitmq", "amqp://me:hunter2@broker"],
  ]) {
    const { exitCode, stdout, stderr } = await runCli(...words, ...url);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, /the URL holds a password/);
    assert.ok(!`${stdout}${stderr}`.includes("hunter2"));
  }
});

test("setup never writes over a configuration, unless it may replace it; then it keeps a copy", async (t) => {
  const { config, words, directory } = prepare(t);
  mkdirSync(join(directory, "config"));
  writeFileSync(config, "// mine\n");
  const refused = await runCli(...words, "--offline", ...kafka);
  assert.equal(refused.exitCode, 78);
  assert.match(
    refused.stderr,
    /CERTWIRE_SETUP_EXISTS: .*certwire\.jsonc exists\nhint: .*--replace/,
  );
  assert.equal(readFileSync(config, "utf8"), "// mine\n");
  const replaced = await runCli(...words, "--offline", "--replace", ...kafka);
  assert.equal(replaced.exitCode, 0, replaced.stderr);
  assert.equal(loadConfig(config).sinks.length, 1);
  const [copy = "", ...others] = readdirSync(join(directory, "config")).filter((name) =>
    name.endsWith(".old"),
  );
  assert.deepEqual(others, []);
  assert.equal(readFileSync(join(directory, "config", copy), "utf8"), "// mine\n");
});

test("a dry run shows the plan and the configuration, and writes nothing", async (t) => {
  const { config, words, names } = prepare(t);
  const { exitCode, stdout, stderr } = await runCli(...words, "--dry-run", ...kafka);
  assert.equal(exitCode, 0, stderr);
  assert.ok(stdout.startsWith(`configuration  ${config}\n`), stdout);
  assert.match(stdout, /"url": "kafkas:\/\/broker\/topic"/);
  assert.deepEqual(names(), ["journal"]);
});

test("a failed check ends the setup with its exit code, and says that nothing was started", async (t) => {
  const { config, words, directory } = prepare(t);
  // Nobody listens at port 1.
  const url = ["--rabbitmq", "amqp://127.0.0.1:1/"];
  const { exitCode, stdout, stderr } = await runCli(...words, ...url);
  assert.equal(exitCode, 69, stderr);
  assert.match(stdout, /^error +sink rabbitmq/m);
  assert.match(stderr, /nothing was started/);
  assert.ok(stderr.includes(`certwire check --config ${config}`));
  assert.ok(stderr.includes(`certwire run --config ${config}`), "what comes after the check");
  assert.deepEqual(readdirSync(join(directory, "config")), ["certwire.jsonc"]);
});

test("a check that cannot run, for want of a password file, says as much", async (t) => {
  const { config, words, directory } = prepare(t);
  const noFile = ["--rabbitmq-password-file", join(directory, "none.txt")];
  const { exitCode, stderr } = await runCli(...words, "--rabbitmq", "amqp://me@host", ...noFile);
  assert.equal(exitCode, 78, stderr);
  assert.match(stderr, /none\.txt/);
  assert.match(stderr, /nothing was started/);
  assert.ok(stderr.includes(`certwire check --config ${config}`));
});

test("a place that cannot be written is an error with its path", async (t) => {
  const { config, words, directory } = prepare(t);
  writeFileSync(join(directory, "config"), "a file in the place of the directory");
  const { exitCode, stderr } = await runCli(...words, ...kafka);
  assert.equal(exitCode, 74, stderr);
  assert.ok(stderr.includes(`CERTWIRE_SETUP_FAILED: ${config} cannot be written`), stderr);
});

test("on a terminal setup asks, and keeps a password that it does not show in a file of its own", async (t) => {
  const { config, words, directory } = prepare(t);
  const broker = await startFakeRabbitMq(() => true);
  t.after(() => broker.stop());
  const terminal = new CliTerminal(t, words);
  await terminal.answer("no Kafka): ", "");
  await terminal.answer("no RabbitMQ): ", "amqp://ca1@host/?queue=wrong");
  await terminal.answer("no RabbitMQ): ", broker.url.replace("//", "//ca1@"));
  await terminal.answer("Password of ca1 at RabbitMQ: ", "");
  await terminal.answer("Password of ca1 at RabbitMQ: ", "hunter2 ");
  await terminal.answer("Go ahead [y/N]: ", "y");
  assert.equal(await terminal.end(), 0, terminal.shown);
  assert.match(terminal.shown, /unknown parameter "queue"/);
  assert.match(terminal.shown, /^ok +sink rabbitmq +rabbitmq: connected/m);
  assert.ok(!terminal.shown.includes("hunter2"), terminal.shown);
  const secret = join(directory, "config", "rabbitmq-password.txt");
  assert.equal(readFileSync(secret, "utf8"), "hunter2 \n");
  assert.equal(statSync(secret).mode & 0o777, 0o600);
  assert.ok(!readFileSync(config, "utf8").includes("hunter2"));
  const login = broker.requests().find(({ method }) => method === "10.11");
  assert.ok(login?.text.includes("\0ca1\0hunter2 "), "the check used the password of the file");
});

test("on a terminal setup asks for the user and the mechanism of Kafka", async (t) => {
  const { config, words } = prepare(t);
  const terminal = new CliTerminal(t, [...words, "--offline"]);
  await terminal.answer("no Kafka): ", "broker1:9093");
  await terminal.answer("no Kafka): ", "kafkas://broker1:9093/certwire.events");
  await terminal.answer("no RabbitMQ): ", "");
  await terminal.answer("Kafka user (empty: none): ", "ca1");
  await terminal.answer("[scram-sha-512]: ", "md5");
  await terminal.answer("[scram-sha-512]: ", "scram-sha-256");
  await terminal.answer("Password of ca1 at Kafka: ", "hunter2");
  await terminal.answer("Go ahead [y/N]: ", "y");
  assert.equal(await terminal.end(), 0, terminal.shown);
  const wrong = /^--kafka: the URL must look like .*/m.exec(terminal.shown)?.[0] ?? "";
  assert.match(wrong, /\/\.\.\.\.\r?$/, "nothing that a dialog has no use for");
  const sasl = {
    mechanism: "scram-sha-256",
    username: "ca1",
    password: { file: "kafka-password.txt" },
  };
  const text = readFileSync(config, "utf8").replaceAll(/\s/g, "");
  assert.ok(text.includes(`"sasl":${JSON.stringify(sasl)}`), text);
  assert.equal(loadConfig(config).sinks[0]?.kind, "kafka");
});

for (const [about, keys, exitCode] of [
  ["a no", "n\r", 0],
  ["an empty answer", "\r", 0],
  ["Ctrl-C", "\u0003", 130],
  ["the end of the input", "\u0004", 130],
] as const) {
  test(`${about} at the last question changes nothing`, async (t) => {
    const { words, names } = prepare(t);
    const terminal = new CliTerminal(t, [...words, ...kafka]);
    await terminal.type("Go ahead [y/N]: ", keys);
    assert.equal(await terminal.end(), exitCode, terminal.shown);
    assert.match(terminal.shown, /nothing was changed/);
    assert.deepEqual(names(), ["journal"]);
  });
}

test("with --yes setup asks nothing on a terminal, and writes what the flags say", async (t) => {
  const { config, words } = prepare(t);
  const terminal = new CliTerminal(t, [...words, ...kafka, "--offline", "--yes"]);
  assert.equal(await terminal.end(), 0, terminal.shown);
  assert.doesNotMatch(terminal.shown, /\[y\/N\]/);
  assert.equal(loadConfig(config).sinks[0]?.destination, "topic topic on broker:9093");
});

for (const [about, flags, told] of [
  ["a sink", [], /there is no sink/],
  [
    "a password",
    ["--rabbitmq", "amqp://me@host"],
    /password of me.*give --rabbitmq-password-file/s,
  ],
] as const) {
  test(`with --yes and without ${about}, setup on a terminal says what to give, and writes nothing`, async (t) => {
    const { words, names } = prepare(t);
    const terminal = new CliTerminal(t, [...words, ...flags, "--yes"]);
    assert.equal(await terminal.end(), 2, terminal.shown);
    assert.match(terminal.shown, told);
    assert.deepEqual(names(), ["journal"]);
  });
}

test("Ctrl-C while a password is typed ends the setup, and the terminal shows text again", async (t) => {
  const { words, names } = prepare(t);
  const terminal = new CliTerminal(t, [...words, "--rabbitmq", "amqp://ca1@host"]);
  await terminal.type("Password of ca1 at RabbitMQ: ", "hun\u0003");
  assert.equal(await terminal.end(), 130, terminal.shown);
  assert.match(terminal.shown, /interrupted, nothing was changed/);
  assert.ok(!terminal.shown.includes("hun"), terminal.shown);
  assert.deepEqual(names(), ["journal"]);
});

/** A plan of one secret file below a directory, on a made-up Windows. */
function planOnWindows(path: string, windows: FakeWindows) {
  return planFiles([{ path, access: "private", text: "" }], false, windows);
}

test("on Windows a secret goes only into a directory that is there and that others cannot read", async (t) => {
  const directory = temporaryDirectory(t);
  const windows = new FakeWindows();
  const path = join(directory, "kafka-password.txt");
  assert.equal((await planOnWindows(path, windows)).length, 1);
  await assert.rejects(planOnWindows(join(directory, "none", "x.txt"), windows), {
    code: "CERTWIRE_SETUP_FAILED",
    hint: /regsvr32/,
  });
  windows.readable.add(directory);
  await assert.rejects(planOnWindows(path, windows), {
    code: "CERTWIRE_SETUP_FAILED",
    message: /^accounts other than administrators can read /,
  });
});
