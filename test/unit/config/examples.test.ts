import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inspectConfig } from "../../../src/config/inspect.ts";
import { repoRoot } from "../../integration/support/repo-root.ts";

const directory = mkdtempSync(join(tmpdir(), "certwire-examples-"));
after(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, "password.txt"), "hunter2\n");

function assertGood(text: string): void {
  const file = join(directory, "certwire.jsonc");
  // The secret of an example is not on this machine.
  writeFileSync(file, text.replace(/"file": ".*password\.txt"/, '"file": "password.txt"'));
  assert.deepEqual(inspectConfig(file).warnings, []);
}

const examples = readdirSync(join(repoRoot, "config")).filter((name) => name.endsWith(".jsonc"));
for (const name of examples) {
  test(`the example ${name} passes the check without a warning`, () => {
    assertGood(readFileSync(join(repoRoot, "config", name), "utf8"));
  });
}

for (const broker of ["kafka", "rabbitmq"]) {
  test(`the configuration in the compose file for ${broker} passes the check without a warning`, () => {
    const compose = readFileSync(join(repoRoot, "docker", `compose.${broker}.yml`), "utf8");
    const content = / {2}certwire:\n {4}content: \|\n((?: {6}.*\n)+)/.exec(compose)?.[1];
    assert.ok(content, "it holds no configuration");
    assertGood(content);
  });
}

test("the directories of the example are those that registration gives the service rights to", () => {
  const text = readFileSync(join(repoRoot, "config", "certwire.example.jsonc"), "utf8");
  const base = String.raw`C:\\ProgramData\\Certwire`;
  assert.ok(text.includes(`"journal": {\n    "directory": "${base}\\\\journal"`));
  assert.ok(text.includes(`"state": { "directory": "${base}\\\\state" }`));
  for (const [, path] of text.matchAll(/"url": "file:\/\/\/([^"]+)"/g)) {
    assert.match(path ?? "", /^C:\/ProgramData\/Certwire\/state\//);
  }
  for (const [, path] of text.matchAll(/"(?:file|caFile|certificateFile)": "([^"]+)"/g)) {
    assert.ok(path?.startsWith(`${base}\\\\config\\\\`), path);
  }
});
