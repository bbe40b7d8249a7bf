import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { logPage } from "../../../src/log/log-page.ts";
import type { LogMessageEntry } from "../../../src/log/message-entry.ts";
import { logMessages } from "../../../src/log/messages.ts";

const page = logPage();

/** The texts of the sources, by path. SDK and test kit take a log of their user. */
const sources = new Map(
  readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !/^(?:consumer|testing)\b/.test(name))
    .map((name) => [name.replaceAll("\\", "/"), readFileSync(join("src", name), "utf8")]),
);

test("the reference page of the log is the one that the table makes", () => {
  assert.equal(readFileSync("docs/reference/log-lines.md", "utf8"), page);
});

test("no line is logged but by the table of messages", () => {
  const bypass = /(?:\blog|\blogger|#log)(?:\??\.(?:trace|debug|info|warn|error|fatal)\b|\[)/g;
  const found = [...sources].flatMap(([file, source]) =>
    [...source.matchAll(bypass)].map(([call]) => `${file}: ${call}`),
  );
  assert.deepEqual(found.toSorted(), [
    "log/log-line.ts: log[",
    "log/repeated-lines.ts: #log[",
    "log/repeated-lines.ts: #log[",
    "log/repeated-lines.ts: #log[",
  ]);
});

test("every message of the table is logged somewhere", () => {
  const code = [...sources]
    .filter(([file]) => !file.startsWith("log/"))
    .map(([, source]) => source)
    .join("\n");
  const stale = Object.keys(logMessages).filter((message) => !code.includes(`"${message}"`));
  assert.deepEqual(stale, []);
});

test("a message is an error, or a warning that becomes one, or has one level and a lower one for its harmless case", () => {
  const combinations = new Set(
    Object.values<LogMessageEntry>(logMessages).map(({ levels }) => levels.join(" ")),
  );
  const allowed = ["info", "warn", "error", "debug", "warn error", "error warn", "warn debug"];
  assert.deepEqual([...combinations].toSorted(), allowed.toSorted());
});

test("every field of the progress line is on the page", () => {
  const [, table = ""] = page.split("## `progress`");
  const missing = logMessages.progress.fields.filter((field) => !table.includes(`\`${field}\``));
  assert.deepEqual(missing, []);
});

test("every warning about a topic's settings is on the page", () => {
  const source = readFileSync("src/sinks/kafka/topic.ts", "utf8");
  const warnings = [...source.matchAll(/message:\s*["`]([^"`]+)["`]/g)].map(([, text = ""]) =>
    text.replaceAll(/\$\{[^}]+\}/g, "..."),
  );
  assert.equal(warnings.length, 12);
  assert.deepEqual(
    warnings.filter((warning) => !page.includes(`- \`${warning}\``)),
    [],
  );
});
