import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { createServer } from "node:tls";
import { type CheckName, doctorChecks } from "../../src/doctor/checks.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { exitEvents } from "../../src/exit/ca-codes.ts";
import { loadNative } from "../../src/native/addon.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { configBeside } from "../support/config-beside.ts";
import { expiredCertificate } from "../support/expired-certificate.ts";
import { cliMain, runCli, startCli } from "../support/run-cli.ts";
import {
  flushed,
  journalDirectory,
  openSmall,
  record,
  smallEvent,
} from "../support/small-journal.ts";
import { until } from "../support/until.ts";
import { unzip } from "../support/unzip.ts";

interface Result {
  readonly state: string;
  readonly findings: readonly Finding[];
}

async function diagnose(config: string, ...words: readonly string[]) {
  const { exitCode, stdout, stderr } = await runCli("doctor", "-c", config, "--json", ...words);
  assert.equal(stderr, "");
  const result = JSON.parse(stdout) as Result;
  const expected = { ok: 0, warn: 10, error: 11 }[result.state];
  assert.equal(exitCode, expected, stdout);
  return result;
}

function of({ findings }: Result, check: CheckName): Finding[] {
  return findings.filter((finding) => finding.check === check);
}

/** What is wrong, without how quick this machine is. */
function bad({ findings }: Result): string[] {
  return findings
    .filter(({ check }) => check !== "journal-appends")
    .filter(({ state }) => state === "warn" || state === "error")
    .map(({ check, state, sink }) => [check, state, sink].filter(Boolean).join(" "));
}

/** A journal of a CA that works. */
async function workingJournal(t: TestContext): Promise<string> {
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  t.after(() => simulator.close());
  record(simulator, 1, 20);
  await flushed(simulator);
  return journal;
}

/** In a container the kernel does not show whether somebody else holds a lock. */
const seesLocks = readlinkSync("/proc/self/ns/pid") === "pid:[4026531836]";

test("a CA and a service that work have no finding that is a warning or an error, and every check is there once", async (t) => {
  const journal = await workingJournal(t);
  const config = configBeside(journal);
  const service = startCli(["run", "--config", config]);
  t.after(() => service.child.kill("SIGKILL"));
  await service.logged('"sink opened"');
  const result = await until(async () => {
    const found = await diagnose(config);
    return of(found, "sink-backlog")[0]?.seen === "nothing waits" && found;
  }, "everything is published");
  assert.deepEqual(bad(result), []);
  const checks = result.findings.map(({ check }) => check);
  assert.deepEqual(checks, Object.keys(doctorChecks), "in the order of an event's way");
  for (const finding of result.findings) {
    assert.equal(doctorChecks[finding.check].link, finding.link);
  }
  assert.match(of(result, "service-running")[0]?.seen ?? "", /^process \d+ on /);
});

test("without a service, and with a CA that was killed, both are errors with what to do", async (t) => {
  const journal = await workingJournal(t);
  const killed = join(dirname(journal), "killed");
  mkdirSync(killed);
  const simulator = openSmall(killed);
  record(simulator, 1, 3);
  await flushed(simulator);
  simulator.close();
  const result = await diagnose(configBeside(killed), "--offline");
  const gone = seesLocks ? ["journal-writer error"] : [];
  assert.deepEqual(bad(result), [...gone, "service-running error"]);
  for (const { state, hint = "" } of result.findings) {
    if (state === "error") assert.match(hint, /^Start the (?:service|CA)\./);
  }
});

test("a volume that has less free than the module leaves is an error, less than the service asks for a warning", async (t) => {
  const journal = journalDirectory(t);
  const petabyte = 2 ** 50;
  const options = { directory: journal, caName: "Full CA", minFreeBytes: petabyte };
  const simulator = new (loadNative().ExitSimulator)(options);
  t.after(() => simulator.close());
  record(simulator, 1, 3);
  await flushed(simulator);
  const full = await diagnose(configBeside(journal), "--offline");
  const [space] = of(full, "journal-space");
  assert.equal(space?.state, "error");
  assert.match(space.hint ?? "", /Free space on the volume/);
  const other = await workingJournal(t);
  const limits = { directory: other, minFreeMegabytes: 2 ** 30 };
  const low = await diagnose(configBeside(other, { journal: limits }), "--offline");
  assert.equal(of(low, "journal-space")[0]?.state, "warn");
});

/** A diagnosis by root without the rights that only root has, or by whoever runs the tests. */
function withoutPrivileges(config: string): Result {
  const node = [process.execPath, cliMain, "doctor", "-c", config, "--offline", "--json"];
  const capabilities = ["--bounding-set=-all", "--inh-caps=-all", "--"];
  const command = process.getuid?.() === 0 ? ["setpriv", ...capabilities, ...node] : node;
  const [program = "", ...words] = command;
  const { stdout, stderr } = spawnSync(program, words, { encoding: "utf8" });
  assert.equal(stderr, "");
  return JSON.parse(stdout) as Result;
}

test("an account that may not delete in the journal is told so, one that may not read it too", async (t) => {
  const journal = await workingJournal(t);
  const config = configBeside(journal);
  try {
    chmodSync(journal, 0o555);
    chmodSync(dirname(journal), 0o555);
    const readOnly = withoutPrivileges(config);
    assert.deepEqual(
      of(readOnly, "journal-rights").map(({ state, seen }) => [state, seen]),
      [["warn", "this account may not delete segments"]],
    );
    assert.equal(of(readOnly, "state-directory")[0]?.state, "error");
    chmodSync(journal, 0o000);
    const closed = withoutPrivileges(config);
    assert.equal(of(closed, "journal-directory")[0]?.state, "error");
    assert.equal(of(closed, "journal-writer")[0]?.state, "skipped");
  } finally {
    chmodSync(dirname(journal), 0o755);
    chmodSync(journal, 0o777);
  }
  const open = await diagnose(config, "--offline");
  assert.match(of(open, "journal-rights")[0]?.seen ?? "", /other accounts may write to it/);
});

test("a configuration that is wrong is an error at its place, and the directories are examined all the same", async (t) => {
  const journal = await workingJournal(t);
  const password = { file: "missing.txt" };
  const sinks = [{ name: "rabbit", url: "amqp://me@127.0.0.1:1", password }];
  const result = await diagnose(configBeside(journal, { sinks }));
  const [found] = of(result, "configuration");
  assert.equal(found?.state, "error");
  assert.match(found.seen, /certwire\.jsonc:1:\d+: sinks\[0\]\.password\.file: .*cannot be read/);
  assert.equal(of(result, "journal-space")[0]?.state, "ok");
  assert.equal(of(result, "sink-connection")[0]?.state, "skipped");
  const none = await diagnose(join(dirname(journal), "none.jsonc"));
  assert.deepEqual(bad(none), ["configuration error"]);
});

test("a broker that is not there, and one whose certificate has ended, are errors with what was seen", async (t) => {
  const journal = await workingJournal(t);
  const server = createServer(expiredCertificate(dirname(journal)));
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sinks = [
    { name: "gone", url: "amqp://127.0.0.1:1/?exchange=x" },
    { name: "ended", url: `kafkas://127.0.0.1:${port}/t` },
  ];
  const result = await diagnose(configBeside(journal, { sinks }), "--timeout", "60");
  const [gone, ended] = of(result, "sink-connection");
  assert.match(gone?.seen ?? "", /^CERTWIRE_SINK_UNREACHABLE: .*ECONNREFUSED/);
  assert.equal(ended?.state, "error");
  const [certificate] = of(result, "sink-certificates").filter(({ sink }) => sink === "ended");
  assert.equal(certificate?.state, "error");
  assert.match(certificate.seen, new RegExp(`127\\.0\\.0\\.1:${port} ended on 2020-01-31`));
});

test("names and errors that others wrote change nothing on the terminal, nor its 80 columns", async (t) => {
  const journal = join(journalDirectory(t), `\u202eevil\u2066${"x".repeat(200)}`);
  const { stdout } = await runCli("doctor", "-c", configBeside(journal), "--offline");
  assert.match(stdout, /·evil·/);
  assert.match(stdout, /^[\P{C}\n]*$/u);
  assert.deepEqual(
    stdout.split("\n").filter((line) => line.length > 80),
    [],
  );
});

test("no FIFO or link in the state directory holds doctor up, or leads it elsewhere", async (t) => {
  const journal = await workingJournal(t);
  const config = configBeside(journal);
  const { directory, lockName, ...state } = stateLayout(join(dirname(journal), "state"));
  const files = [
    join(directory, lockName),
    state.caIds,
    state.redriven,
    state.checkpoint("files"),
    state.deadLetters("files"),
    state.routedKinds("files"),
  ];
  for (const file of files) mkdirSync(dirname(file), { recursive: true });
  for (const command of [["mkfifo"], ["ln", "-s", config]]) {
    for (const file of files) {
      rmSync(file, { force: true });
      const [program, ...words] = [...command, file];
      assert.equal(spawnSync(program, words).status, 0);
    }
    const [found] = of(await diagnose(config, "--offline"), "state-directory");
    assert.equal(found?.state, "error");
  }
});

const secrets = {
  "password.txt": "Kafka5ecretHunter2",
  "token.txt": "0auth-Client-5ecret",
  "key.txt": "a-hash-key-that-nobody-may-see-0123456789",
};
const names = [
  "broker1.pki.corp.example",
  "broker2.pki.corp.example",
  "broker9.pki.corp.example",
  "rabbit7",
  "svc-publisher",
  "alice.smith",
  "idp77.corp.example",
  "10.20.30.40",
  "Corp Issuing CA 7",
  "CORP77",
];

/** A configuration with every kind of secret and name, beside a log that repeats them. */
function configureSecrets(journal: string): string {
  const directory = dirname(journal);
  for (const [name, secret] of Object.entries(secrets)) {
    writeFileSync(join(directory, name), `${secret}\n`);
  }
  const log = join(directory, "state", "log");
  mkdirSync(log, { recursive: true });
  const lines = [
    { msg: "first", error: "alice.smith saw broker1.pki.corp.example:1" },
    {
      msg: "cannot open the sink",
      error: "connect ECONNREFUSED 10.20.30.40:9092 (broker9.pki.corp.example:9092)",
    },
    { msg: "sasl", error: `${secrets["password.txt"]} of svc-publisher was refused` },
    {
      msg: "certificate",
      error: "issuer CN=Corp Issuing CA 7, DC=corp",
      path: "C:\\Users\\alice.smith\\x",
    },
    { msg: "run", account: "CORP77\\alice.smith", environment: "inline-environment-5ecret" },
  ];
  const text = lines.map((line) => JSON.stringify(line)).join("\n");
  writeFileSync(join(log, "service-000001.log"), `${text}\nplain rabbit7:5672 text\n`);
  const oauth = {
    tokenEndpoint: "https://idp77.corp.example/token",
    clientId: "svc-publisher",
    clientSecret: { file: "token.txt" },
  };
  const sasl = {
    mechanism: "scram-sha-512",
    username: "svc-publisher",
    password: { file: "password.txt" },
  };
  const brokers = "broker1.pki.corp.example:1,broker2.pki.corp.example:1";
  const file = join(directory, "certwire.jsonc");
  const config = {
    journal: { directory: journal },
    state: { directory: "state" },
    sinks: [
      { name: "one", url: `kafkas://${brokers}/t`, sasl, enabled: false },
      { name: "two", url: `kafkas://${brokers}/t`, sasl: { mechanism: "oauthbearer", oauth } },
      {
        name: "three",
        url: "amqp://svc-publisher@rabbit7/",
        password: { environment: "CERTWIRE_TEST_DOCTOR_SECRET" },
        redact: { hash: ["request.requesterName"], hashSecret: { file: "key.txt" } },
      },
    ],
  };
  // People write anything into comments.
  writeFileSync(
    file,
    `// the password of alice.smith was hunter3-in-a-comment\n${JSON.stringify(config, null, 1)}`,
  );
  return file;
}

async function collectInto(
  zip: string,
  config: string,
  ...more: string[]
): Promise<Map<string, string>> {
  const words = ["doctor", "-c", config, "--offline", "--collect", zip, ...more];
  const environment = {
    CERTWIRE_TEST_DOCTOR_SECRET: "inline-environment-5ecret",
    USERDOMAIN: "CORP77",
  };
  const { exitCode, stderr } = await startCli(words, environment).ended;
  assert.equal(exitCode, 11, stderr);
  assert.match(stderr, /was written; look into it/);
  assert.equal(statSync(zip).mode & 0o777, 0o600);
  return unzip(zip);
}

function assertWithout(files: ReadonlyMap<string, string>, texts: readonly string[]): void {
  for (const [name, content] of files) {
    for (const text of texts) {
      const found = `${name}\n${content}`.toLowerCase().includes(text.toLowerCase());
      assert.ok(!found, `${text} is in ${name}: ${content}`);
    }
  }
}

const allSecrets = [...Object.values(secrets), "inline-environment-5ecret", "hunter3-in-a-comment"];

test("a collected archive has no secret and no name, the same blank for the same name, and says what was found", async (t) => {
  const journal = await workingJournal(t);
  const config = configureSecrets(journal);
  const zip = join(dirname(journal), "doctor.zip");
  const files = await collectInto(zip, config);
  assert.deepEqual(
    [...files.keys()],
    [
      "README.txt",
      "doctor.txt",
      "doctor.json",
      "versions.json",
      "config.jsonc",
      "status.json",
      "journal-segments.json",
      "state-files.json",
      "logs/service-000001.log",
    ],
  );
  assertWithout(files, [...allSecrets, ...names, ...(hostname().length > 3 ? [hostname()] : [])]);
  const shared = JSON.parse(files.get("config.jsonc") ?? "") as { sinks: { url: string }[] };
  const [, host] = /kafkas:\/\/(<host-\d+>):1,/.exec(shared.sinks[0]?.url ?? "") ?? [];
  assert.ok(host);
  const [first = ""] = files.get("logs/service-000001.log")?.split("\n") ?? [];
  assert.match(first, new RegExp(`"<user-\\d+> saw ${host}:1"`), "the same host as in the log");
  assert.match(files.get("doctor.txt") ?? "", /^error certwire/);
  const segments = JSON.parse(files.get("journal-segments.json") ?? "") as { name: string }[];
  assert.match(segments[0]?.name ?? "", /^e\d+-s\d+\.cej$/);
  assert.match(files.get("state-files.json") ?? "", /"log\/service-000001\.log"/);
  const again = await runCli("doctor", "-c", config, "--offline", "--collect", zip);
  assert.equal(again.exitCode, 74);
  assert.match(again.stderr, /CERTWIRE_EXPORT_FAILED: .*exists already/);
});

test("with names an archive keeps them, and still has no secret", async (t) => {
  const journal = await workingJournal(t);
  const zip = join(dirname(journal), "doctor.zip");
  const files = await collectInto(zip, configureSecrets(journal), "--with-names");
  assertWithout(files, allSecrets);
  for (const name of ["broker1.pki.corp.example", "svc-publisher", "rabbit7"]) {
    assert.ok(files.get("config.jsonc")?.includes(name), name);
  }
  assert.match(files.get("logs/service-000001.log") ?? "", /alice\.smith/);
});

test("an invalid configuration is collected without the passwords that were written into it", async (t) => {
  const journal = await workingJournal(t);
  const config = join(dirname(journal), "certwire.jsonc");
  const inline = ["inline-password-5ecret", "url-password-5ecret", "unknown-key-5ecret"];
  writeFileSync(
    config,
    `{ "sinks": [{ "name": "r", "url": "amqp://me:${inline[1]}@rabbit7/", "password" "${inline[0]}", "geheim": "${inline[2]}" ] }`,
  );
  const files = await collectInto(join(dirname(journal), "doctor.zip"), config);
  assertWithout(files, [...inline, "rabbit7"]);
  assert.ok(files.has("config.jsonc"));
});

test("--with-names alone is wrong usage, and an archive that cannot be written an error", async (t) => {
  const journal = await workingJournal(t);
  const config = configBeside(journal);
  const alone = await runCli("doctor", "-c", config, "--with-names");
  assert.equal(alone.exitCode, 2);
  const zip = join(dirname(journal), "none", "doctor.zip");
  const missing = await runCli("doctor", "-c", config, "--offline", "--collect", zip);
  assert.equal(missing.exitCode, 74);
  assert.ok(!existsSync(zip));
});

test("a CA that was stopped is no reason to worry", async (t) => {
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  record(simulator, 1, 3);
  simulator.notify({ ...smallEvent(0), event: exitEvents.shutdown });
  await flushed(simulator);
  simulator.shutdown();
  simulator.close();
  const result = await diagnose(configBeside(journal), "--offline");
  assert.deepEqual(bad(result), ["service-running error"]);
});
