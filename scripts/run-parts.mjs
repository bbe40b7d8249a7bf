// Runs parts of the tests side by side, one more than cores: node scripts/run-parts.mjs [PART...]
// Each part writes its output to build/logs/PART.log; failures are printed. Ends with a table of the
// parts and the line `N passed, N failed, N skipped`.
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

const isCi = process.env["CI"] === "true";
const tests = (...names) => names.map((name) => `build/js/test/${name}`);
const onNode = (...roots) => ["node", "scripts/run-tests.mjs", "--test-concurrency=1", ...roots];
const onNodeInPairs = (...roots) => [
  "node",
  "scripts/run-tests.mjs",
  "--test-concurrency=2",
  ...roots,
];
// Half of the time of these tests is waiting for timers.
const onNodeInFours = (...roots) => [
  "node",
  "scripts/run-tests.mjs",
  "--test-concurrency=4",
  ...roots,
];
/** A command whose tests share one broker of each kind, as far as they do not harm it. */
const withBrokers = (command) => [
  "node",
  "build/js/test/integration/support/with-brokers.js",
  ...command,
];

const inDebian13 = ["bash", "scripts/debian-13.sh"];
const olderKafka = "3.9.1";
const onOlderKafka = (command) => [
  ...inDebian13,
  "env",
  `CERTWIRE_TEST_KAFKA=${olderKafka}`,
  ...command,
];

/** The supported lines of Node.js; the other parts run on the installed one. */
const nodeLines = [20, 22, 24, 26];
const otherLines = nodeLines.filter((line) => !process.version.startsWith(`v${line}.`));
const onLine = (line) => ({
  title: `unit and contract tests and the commands on Node.js ${line}`,
  commands: [["bash", "scripts/node-line.sh", String(line)]],
});

/**
 * The parts in the order in which they start, the longest first. `after`: parts that build what this one needs.
 * `when`: `ci` outside CI, and `named` everywhere, means only if it is named. `hasTests: false`: it counts no tests.
 */
const parts = {
  windows: {
    title: "Windows binaries and Wine prefix",
    hasTests: false,
    commands: [
      ["bash", "scripts/build-windows.sh"],
      ["bash", "scripts/wine-prefix.sh"],
    ],
  },
  brokers: {
    title: "integration tests on real brokers",
    // In CI only the part docker has a container engine, and no test may be skipped there for lack of one.
    commands: [
      ["bash", "scripts/fetch-kafka.sh"],
      // For zstd, which the oldest line lacks.
      ["bash", "scripts/fetch-node.sh", "22"],
      ["node", "build/js/test/integration/support/make-kafka-archive.js"],
      withBrokers(
        onNodeInPairs(
          ...(isCi ? ["--exclude=testcontainers.test.js"] : []),
          ...tests("integration"),
        ),
      ),
    ],
  },
  docker: {
    title: "second versions of both brokers, in testcontainers on a private engine",
    commands: [["bash", "scripts/ci-docker.sh", "--private-engine"]],
    when: "ci",
  },
  wine: {
    title: "the real DLL and the service in Wine",
    commands: [onNode(...tests("wine"))],
    after: ["windows"],
  },
  crash: {
    title: "crash tests, the simulation and examples",
    commands: [
      ["bash", "scripts/fetch-kafka.sh"],
      onNode(...tests("crash", "simulation"), "build/js/examples"),
    ],
  },
  ...Object.fromEntries(otherLines.map((line) => [`node${line}`, onLine(line)])),
  package: {
    title: "the release: MSI, zip and npm package",
    commands: [onNode(...tests("package"))],
    after: ["windows"],
  },
  asan: {
    title: "native tests under AddressSanitizer and UBSan, and a short fuzz",
    commands: [["bash", "scripts/native-tests.sh", "asan", "fuzz"]],
  },
  tsan: {
    title: "native tests under ThreadSanitizer",
    commands: [["bash", "scripts/native-tests.sh", "tsan"]],
  },
  unit: {
    title: "unit and contract tests",
    commands: [onNodeInFours("--together=6", ...tests("unit", "contract"))],
  },
  cli: {
    title: "the commands, as processes",
    commands: [onNodeInPairs(...tests("cli"))],
  },
  native: {
    title: "native tests, plain",
    commands: [["bash", "scripts/native-tests.sh", "plain"]],
  },
  interop: {
    title: "golden events through other people's software",
    commands: [["bash", "scripts/fetch-kafka.sh"], onNode(...tests("interop/quick"))],
  },
  lint: {
    title: "lint, format, types, dead code",
    hasTests: false,
    commands: [["bash", "scripts/lint.sh"]],
  },
  wine10: {
    title: "the real DLL, the service and the MSI in Wine 10, with Node 24",
    commands: [
      ["bash", "scripts/fetch-kafka.sh"],
      [...inDebian13, "--wine", "env", "CERTWIRE_WINDOWS_NODE=24", ...onNode(...tests("wine"))],
    ],
    after: ["windows"],
    when: "named",
  },
  debian13: {
    title: "integration tests on RabbitMQ 4 and an older Kafka, in Debian 13",
    commands: [
      ["bash", "scripts/fetch-kafka.sh", "kafka", olderKafka],
      onOlderKafka(["node", "build/js/test/integration/support/make-kafka-archive.js"]),
      onOlderKafka(
        withBrokers(
          onNodeInPairs(
            "--exclude=testcontainers.test.js",
            // About Prometheus and the browser, which are not there.
            "--exclude=page.test.js",
            "--exclude=alert-rules.test.js",
            "--exclude=alerts.test.js",
            "--exclude=dashboard.test.js",
            ...tests("integration"),
          ),
        ),
      ),
    ],
    when: "named",
  },
  rabbitmq: {
    title: "the suite of one broker, for the inner loop; brokers holds it too",
    commands: [onNode("build/js/test/integration/rabbitmq.test.js")],
    when: "named",
  },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(
    `run-parts: unknown part ${unknown.join(", ")}; the parts are ${Object.keys(parts).join(", ")}`,
  );
  process.exit(2);
}
// A part that is named brings what it needs: the Wine tests never run a DLL of yesterday.
const needed = new Set(asked.flatMap((name) => [name, ...(parts[name].after ?? [])]));
const runsByDefault = ({ when }) => when === undefined || (when === "ci" && isCi);
const wanted = Object.keys(parts).filter((name) =>
  asked.length > 0 ? needed.has(name) : runsByDefault(parts[name]),
);
const waiting = [...wanted];
const logDirectory = "build/logs";
mkdirSync(logDirectory, { recursive: true });

const startedAt = performance.now();
const seconds = (since) => Math.round((performance.now() - since) / 1000);
const say = (text) => console.log(`certwire: ${text}`);

const children = new Set();
let stopCode = 0;
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
]) {
  process.on(signal, () => {
    stopCode = code;
    waiting.length = 0;
    // Each part is a process group of its own: its compilers, test processes and brokers end with it.
    for (const { pid } of children) process.kill(-pid, "SIGTERM");
  });
}

/** Runs one command; resolves with its exit code, or with 1 if a signal ended it. */
function run([command, ...args], log) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    children.add(child);
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.on("error", (error) => {
      children.delete(child); // it has not started and has no process id
      log.write(`${error}\n`);
      resolve(1);
    });
    child.on("close", (code) => {
      children.delete(child);
      resolve(code ?? 1);
    });
  });
}

/** Sums the closing lines of all runners in a log: node:test's, and `N passed, N failed, N skipped`. */
function countsIn(text) {
  const sum = (pattern) =>
    [...text.matchAll(pattern)].reduce((total, [, number]) => total + Number(number), 0);
  return {
    passed: sum(/^(?:# |ℹ )pass (\d+)$/gm) + sum(/^ *(\d+) passed, \d+ failed/gm),
    failed: sum(/^(?:# |ℹ )(?:fail|cancelled) (\d+)$/gm) + sum(/^ *\d+ passed, (\d+) failed/gm),
    skipped:
      sum(/^(?:# |ℹ )(?:skipped|todo) (\d+)$/gm) +
      sum(/^ *\d+ passed, \d+ failed, (\d+) skipped/gm),
  };
}

async function runPart(name) {
  const { title, commands } = parts[name];
  const missing = failedNeedOf(name);
  const path = `${logDirectory}/${name}.log`;
  say(`== ${name}: ${title}`);
  const partStartedAt = performance.now();
  const log = createWriteStream(path);
  let code = missing === undefined ? 0 : 1;
  if (missing !== undefined) log.write(`not run: the part ${missing} has failed\n`);
  for (const command of commands) {
    if (code === 0 && stopCode === 0) code = await run(command, log);
  }
  await new Promise((resolve) => log.end(resolve));
  const counts = countsIn(readFileSync(path, "utf8"));
  if (code === 0 && stopCode !== 0) code = stopCode;
  // A runner that reports no test has run none.
  if (code === 0 && counts.passed === 0 && parts[name].hasTests !== false) code = 1;
  const result = { name, code, counts, seconds: seconds(partStartedAt), path };
  say(`   ${resultLine(result)}`);
  return result;
}

function resultLine({ name, code, counts, seconds: took, path }) {
  const { passed, failed, skipped } = counts;
  const numbers = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  return `${name.padEnd(8)} ${code === 0 ? "ok    " : "FAILED"} ${String(took).padStart(4)} s  ${numbers}${code === 0 ? "" : `; see ${path}`}`;
}

/** The lines of a failed part that show what failed, or its last ones. */
function excerpt(path) {
  const lines = readFileSync(path, "utf8").split("\n");
  const failures = lines.flatMap((text, at) =>
    /^ *(not ok|✖)/.test(text) ? [...lines.slice(at, at + 30), "..."] : [],
  );
  return (failures.length > 0 ? failures.slice(0, 200) : lines.slice(-40)).join("\n");
}

// One part more than cores: each waits for brokers, timers and disks much of its time.
const slots = availableParallelism() + 1;
const running = new Map();
const results = [];

/** The part that a part needs and that has failed, if there is one. */
function failedNeedOf(name) {
  const needs = parts[name].after ?? [];
  return results.find((result) => needs.includes(result.name) && result.code !== 0)?.name;
}

function next() {
  const isDone = (name) => !wanted.includes(name) || results.some((result) => result.name === name);
  const at = waiting.findIndex((name) => (parts[name].after ?? []).every(isDone));
  return at === -1 ? undefined : waiting.splice(at, 1)[0];
}

while (waiting.length > 0 || running.size > 0) {
  const name = running.size < slots ? next() : undefined;
  if (name !== undefined) {
    running.set(name, runPart(name));
    continue;
  }
  const result = await Promise.race(running.values());
  running.delete(result.name);
  results.push(result);
}

const red = results.filter(({ code }) => code !== 0);
for (const { name, path } of red) console.log(`\n== ${name} failed:\n${excerpt(path)}`);
console.log("");
for (const result of results) say(resultLine(result));
const total = { passed: 0, failed: 0, skipped: 0 };
for (const { counts, code } of results) {
  for (const key of Object.keys(total)) total[key] += counts[key];
  // A part that fails without a failed test (a build, a linter) counts as a failure too.
  if (code !== 0 && counts.failed === 0) total.failed += 1;
}
say(`${results.length} parts in ${seconds(startedAt)} s on ${slots - 1} cores`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = stopCode || (red.length === 0 ? 0 : 1);
