// Shows that the tests can fail: applies each change of test/mutations.json to a copy of the tree, one at a
// time, and names the tests that go red. Ends with 1 if a change goes unnoticed, or if a test is red without one.
//   npm run mutate [-- NAME ...]
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const wanted = process.argv.slice(2);
const all = JSON.parse(readFileSync("test/mutations.json", "utf8"));
const mutations = all.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const copy = mkdtempSync(join(tmpdir(), "certwire-mutate-"));
// A test that waits for something that no longer happens fails sooner. The run without a change shows that this
// is enough time.
process.env["CERTWIRE_TEST_PATIENCE"] ??= "30";

/** How each kind of source is built, tested, and asked which tests failed. */
const kinds = {
  ts: {
    build: "npm run --silent build",
    test: (tests) => `node scripts/run-tests.mjs ${tests.join(" ")}`,
    red: /^ *not ok \d+ - (.*)$|^ *✖ (.*?)(?: \([\d.]+m?s\))?$/gm,
  },
  native: {
    build:
      "cmake -S addon -B build/mutate -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCERTWIRE_TESTS=ON -DCERTWIRE_NODE=OFF && cmake --build build/mutate --parallel 2 --target core_test collect_test journal_kill",
    test: (tests) =>
      tests
        .map(
          (test) => `build/mutate/${test.startsWith("collect") ? "collect/test" : "test"}/${test}`,
        )
        .join(" && "),
    red: /^TEST CASE: +(.*)$|^(journal_kill: .*)$/gm,
  },
};

function shell(command) {
  return spawnSync("bash", ["-c", command], { cwd: copy, encoding: "utf8", timeout: 3_600_000 });
}

/** Builds and tests the copy; the names of the red tests, or `null` when all are green. */
function redTests({ kind, tests }) {
  const { build, test, red: pattern } = kinds[kind];
  const built = shell(build);
  if (built.status !== 0) throw new Error(`does not build:\n${built.stdout}${built.stderr}`);
  const { status, stdout, stderr } = shell(test(tests));
  if (status === 0) return null;
  const names = [...`${stdout}${stderr}`.matchAll(pattern)].map(([, a, b]) => a ?? b);
  const red = [...new Set(names)].filter((name) => !name.endsWith(".js"));
  return red.length > 0 ? red : tests;
}

function tryOut(mutation) {
  const path = join(copy, mutation.file);
  const source = readFileSync(path, "utf8");
  if (source.split(mutation.find).length !== 2) {
    throw new Error(`${mutation.name}: ${mutation.file} must contain its text exactly once`);
  }
  writeFileSync(
    path,
    source.replace(mutation.find, () => mutation.replace),
  );
  try {
    return redTests(mutation);
  } finally {
    writeFileSync(path, source);
  }
}

/** Throws if a test that the mutations name is red without any of them. */
function tryWithoutChange() {
  const sets = new Map(
    mutations.map((mutation) => [`${mutation.kind} ${mutation.tests}`, mutation]),
  );
  for (const mutation of sets.values()) {
    const red = redTests(mutation);
    if (red !== null) throw new Error(`red without a change: ${red.join(", ")}`);
  }
  console.log(`without a change: ${sets.size} sets of tests green`);
}

let unnoticed = 0;
try {
  execFileSync("bash", ["-c", `git ls-files -z | tar --null -T - -c | tar -x -C '${copy}'`]);
  // Tests of brokers keep files there.
  mkdirSync(join(copy, "var"));
  for (const name of ["node_modules", "prebuilds"]) symlinkSync(resolve(name), join(copy, name));
  tryWithoutChange();
  for (const mutation of mutations) {
    const red = tryOut(mutation);
    if (red === null) unnoticed += 1;
    console.log(`${red === null ? "UNNOTICED" : "red"}: ${mutation.name} (${mutation.file})`);
    for (const name of red ?? []) console.log(`  ${name}`);
  }
} finally {
  rmSync(copy, { recursive: true });
}
console.log(`${mutations.length - unnoticed} of ${mutations.length} changes noticed`);
process.exitCode = unnoticed === 0 && mutations.length > 0 ? 0 : 1;
