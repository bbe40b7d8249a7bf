import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../test/support/run-cli.ts";
import { ecsTemplate } from "./ecs-template.ts";
import { parseSettings, readSecret, readSettings } from "./settings.ts";

const kafka = { brokers: ["localhost:9092"], topic: "certificates" };
const opensearch = { url: "https://localhost:9200", target: "certwire-ecs" };
const splunk = { url: "https://localhost:8088", token: { env: "HEC_TOKEN" } };

test("the settings of the example are valid, and what they leave out has a default", () => {
  const settings = readSettings("examples/siem/settings.example.json");
  assert.deepEqual(settings.batch, { events: 500, bytes: 1_000_000 });
  assert.equal(settings.opensearch?.document, "ecs");
});

test("the blocks of settings in the README are valid", () => {
  const readme = readFileSync("examples/siem/README.md", "utf8");
  const blocks = [...readme.matchAll(/^ *```json\n([^]*?)^ *```$/gm)].map(([, text = ""]) => text);
  assert.ok(blocks.length >= 2, `${blocks.length} blocks`);
  for (const text of blocks) parseSettings(JSON.parse(text), "README.md");
});

const mistakes = [
  ["no broker", { opensearch }, /exactly one of kafka and rabbitmq/],
  ["two SIEMs", { kafka, opensearch, splunk }, /exactly one of opensearch and splunk/],
  ["a secret in the settings", { kafka, splunk: { ...splunk, token: "S3cret" } }, /"env": "NAME"/],
  ["a misspelt name", { kafka, opensearch, batches: {} }, /"batches"/],
  ["a URL without a scheme", { kafka, opensearch: { ...opensearch, url: "host" } }, /https:\/\//],
  [
    "a user in the URL",
    { kafka, opensearch: { ...opensearch, url: "https://user@localhost:9200" } },
    /without a user and a password.*\n.*opensearch\.url/,
  ],
  [
    "a password in the URL",
    { kafka, splunk: { ...splunk, url: "https://:S3cret@localhost:8088" } },
    /without a user and a password.*\n.*splunk\.url/,
  ],
  [
    "a query in the URL",
    { kafka, opensearch: { ...opensearch, url: "https://localhost:9200/?token=S3cret" } },
    /without a query/,
  ],
  ["an empty query", { kafka, splunk: { ...splunk, url: "https://localhost:8088?" } }, /a query/],
  [
    "a fragment in the URL",
    { kafka, opensearch: { ...opensearch, url: "https://localhost:9200#S3cret" } },
    /a fragment/,
  ],
  ["a user alone", { kafka, opensearch: { ...opensearch, username: "x" } }, /belong together/],
  [
    "two ways to log in",
    {
      kafka,
      opensearch: {
        ...opensearch,
        username: "x",
        password: { env: "PASSWORD" },
        apiKey: { env: "KEY" },
      },
    },
    /either a username or an API key/,
  ],
] as const;

for (const [what, settings, message] of mistakes) {
  test(`settings with ${what} are refused, with what is wrong`, () => {
    assert.throws(
      () => parseSettings(settings, "settings.json"),
      (error: Error) => {
        assert.match(error.message, /^settings\.json is not valid:\n/);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /S3cret/);
        return true;
      },
    );
  });
}

test("a file that is not JSON is named", (t) => {
  const path = join(temporaryDirectory(t), "settings.json");
  writeFileSync(path, "{ kafka: }");
  assert.throws(
    () => readSettings(path),
    (error: Error) => error.message.startsWith(`${path} is not JSON: `),
  );
});

test("a secret that is missing is named by its reference", (t) => {
  const file = join(temporaryDirectory(t), "token");
  assert.throws(
    () => readSecret({ env: "SIEM_TEST_MISSING" }),
    /variable SIEM_TEST_MISSING is not/,
  );
  assert.throws(() => readSecret({ file }), /ENOENT.*token/);
  writeFileSync(file, "\n");
  assert.throws(() => readSecret({ file }), /token is empty/);
  writeFileSync(file, "S3cret\n");
  assert.equal(readSecret({ file }), "S3cret");
});

test("the index template of the example is the one that the fields make", () => {
  const text = readFileSync("examples/siem/ecs-index-template.json", "utf8");
  assert.equal(text, `${JSON.stringify(ecsTemplate(), undefined, 2)}\n`);
});
