import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { errorCodes } from "../../../src/errors/codes.ts";
import { TestCa } from "../../../src/testing/ca/test-ca.ts";

const run = promisify(execFile);
const page = await readFile("docs/reference/testing-api.md", "utf8");
const howTo = await readFile("docs/how-to/test-with-certwire.md", "utf8");

test("the page of the test kit names everything that the package exports", async () => {
  const index = await readFile("src/testing/index.ts", "utf8");
  const names = [...index.matchAll(/^export (?:type )?\{([^}]+)\}/gm)].flatMap(([, list = ""]) =>
    list.split(",").flatMap((name) => name.trim().replace(/^type /, "") || []),
  );
  assert.ok(names.length > 30, `${names.length} names`);
  const missing = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(page));
  assert.deepEqual(missing, []);
});

test("the page names every option and call, and every broker's image stands in the how-to", async () => {
  const files = {
    "ca/test-ca.ts": ["TestCaOptions", "FailureOptions", "RenewalOptions", "LossOptions"],
    "ca/request-options.ts": ["RequestOptions"],
    "ca/templates.ts": ["TestTemplate"],
    "publish/publish.ts": ["PublishOptions"],
    "receive/expect-event.ts": ["ExpectOptions"],
    "brokers/kafka.ts": ["ContainerOptions"],
  };
  for (const [file, names] of Object.entries(files)) {
    const text = await readFile(join("src/testing", file), "utf8");
    for (const name of names) {
      const start = text.indexOf(`export interface ${name}`);
      const body = text.slice(start, text.indexOf("\n}", start));
      const members = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member]) => member);
      assert.notEqual(members.length, 0, name);
      assert.deepEqual(
        members.filter((member) => !page.includes(`\`${member}\``)),
        [],
        name,
      );
    }
  }
  const members = Object.entries(Object.getOwnPropertyDescriptors(TestCa.prototype));
  const calls = members.filter(([name, { value }]) => value && name !== "constructor");
  assert.ok(calls.length > 15, `${calls.length} calls`);
  for (const [call] of calls) assert.ok(page.includes(`| \`${call}(`), call);
  for (const [file, constant] of [
    ["kafka", "kafkaImage"],
    ["rabbitmq", "rabbitMqImage"],
  ] as const) {
    const text = await readFile(`src/testing/brokers/${file}.ts`, "utf8");
    const image = new RegExp(`${constant} = "([^"]+)"`).exec(text)?.[1] ?? "";
    assert.match(image, /:[\d.]+/, "pinned");
    assert.ok(howTo.includes(image), image);
  }
});

test("the page names every error code of the test kit, and no other", () => {
  const named = [...page.matchAll(/^\| `(CERTWIRE_\w+)`/gm)].map(([, code]) => code);
  const own = Object.keys(errorCodes).filter((code) => code.startsWith("CERTWIRE_TESTING_"));
  assert.deepEqual(new Set(named), new Set([...own, "CERTWIRE_OPTIONAL_LIBRARY"]));
});

/** The examples in the doc comments of the kit and in its how-to, with where they stand. */
async function examples(): Promise<{ place: string; code: string }[]> {
  const names = await readdir("src/testing", { recursive: true });
  const sources = names
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join("src/testing", name));
  const found: { place: string; code: string }[] = [];
  for (const place of [...sources, "docs/how-to/test-with-certwire.md"]) {
    const text = (await readFile(place, "utf8")).replaceAll(/^ \* ?/gm, "");
    for (const [, code = ""] of text.matchAll(/^```js\n(.*?)^```/gms)) found.push({ place, code });
  }
  return found;
}

test("every example of the kit runs; one with a container is checked for its syntax", async () => {
  const directory = await mkdtemp(join(tmpdir(), "certwire-examples-"));
  const kit = pathToFileURL(resolve("build/js/src/testing/index.js")).href;
  try {
    const all = await examples();
    assert.ok(all.length >= 10, `${all.length} examples`);
    for (const [at, { place, code }] of all.entries()) {
      const file = join(directory, `example-${at}.mjs`);
      await writeFile(file, code.replaceAll('"certwire/testing"', JSON.stringify(kit)));
      const flags = /\bstart(?:Kafka|RabbitMq)\(/.test(code) ? ["--check"] : [];
      await assert.doesNotReject(
        run(process.execPath, [...flags, file], { cwd: directory }),
        place,
      );
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});
