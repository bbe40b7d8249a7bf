import assert from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { RoutedKindsFile } from "../../../src/state/routed-kinds-file.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

const kinds = ["certificate.issued", "ca.started"];

/** A place for the file, a way to read it, and the errors of that. */
function prepare(context: TestContext) {
  const root = temporaryDirectory(context);
  const path = join(root, "routed-kinds", "rabbit.json");
  const errors: unknown[] = [];
  const read = (routing = "a") =>
    RoutedKindsFile.read({ path, root }, routing, (error) => errors.push(error));
  return { root, path, errors, read };
}

test("kinds are there after a restart, for the same routing only", async (context) => {
  const { path, errors, read } = prepare(context);
  const file = await read();
  assert.deepEqual(file.kinds, []);
  await file.save(kinds);
  assert.deepEqual(new Set((await read()).kinds), new Set(kinds));
  assert.deepEqual((await read("b")).kinds, []);
  assert.deepEqual(errors, []);
  assert.equal(statSync(path).mode & 0o077, 0, "only the service may read it");
  assert.deepEqual(readdirSync(dirname(path)), ["rabbit.json"]);
});

const entry = (each: object) => JSON.stringify({ routing: "x", kinds: [], ...each });
const broken: readonly (readonly [string, string])[] = [
  ["empty", ""],
  ["cut off", '{"routing":"'],
  ["another value", "null"],
  ["a kind that is not a text", entry({ kinds: [1] })],
  ["a kind that is too long", entry({ kinds: ["k".repeat(601)] })],
  ["too many kinds", entry({ kinds: Array.from({ length: 10_001 }, (_, n) => `k.${n}`) })],
  ["too large", entry({ filling: " ".repeat(9_000_000) })],
];
for (const [title, text] of broken) {
  test(`a file that does not hold kinds is reported and replaced: ${title}`, async (context) => {
    const { path, errors, read } = prepare(context);
    mkdirSync(dirname(path));
    writeFileSync(path, text);
    const file = await read();
    assert.deepEqual([file.kinds, errors.length], [[], 1]);
    await file.save(kinds);
    assert.deepEqual(new Set((await read()).kinds), new Set(kinds));
    assert.equal(errors.length, 1);
  });
}

test("neither a link in the place of the file nor one in that of its directory is followed", async (context) => {
  const { root, path, errors, read } = prepare(context);
  const victim = join(root, "victim");
  writeFileSync(victim, "precious");
  mkdirSync(dirname(path));
  symlinkSync(victim, path);
  const file = await read();
  assert.deepEqual([file.kinds, errors.length], [[], 1]);
  await file.save(kinds);
  assert.equal(readFileSync(victim, "utf8"), "precious");
  rmSync(dirname(path), { recursive: true });
  mkdirSync(join(root, "elsewhere"));
  symlinkSync(join(root, "elsewhere"), dirname(path));
  await assert.rejects(file.save(kinds), { code: "ELOOP" });
  assert.deepEqual(readdirSync(join(root, "elsewhere")), []);
});

test("a file that cannot be replaced is as it was", async (context) => {
  const { path, read } = prepare(context);
  const file = await read();
  await file.save(kinds);
  mkdirSync(`${path}.new`); // nothing can be written there
  await assert.rejects(file.save([...kinds, "crl.issued"]));
  assert.deepEqual(new Set((await read()).kinds), new Set(kinds));
});
