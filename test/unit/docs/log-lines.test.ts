import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const page = readFileSync(join("docs", "reference", "log-lines.md"), "utf8");

/** The messages that have a row on the page. */
const documented = [...page.matchAll(/^\| `([^`]+)` \| (?:debug|info|warn|error)\b/gm)].map(
  ([, message = ""]) => message,
);

const call = /(?:\blog|#log)\.(?:debug|info|warn|error|fatal)\(|(?:#retrying|\blines\.write)\(/g;

/** Messages that the source logs: literals, or constants of the same file. */
function messagesIn(source: string): string[] {
  return [...source.matchAll(call)].flatMap((match) => {
    const start = match.index + match[0].length;
    const end = endOfArguments(source, start);
    const [, literal, name] =
      /(?:"((?:[^"\\]|\\.)+)"|\b([a-zA-Z]+))[\s,]*$/.exec(source.slice(start, end)) ?? [];
    if (literal !== undefined) return [literal];
    const constant = new RegExp(`const ${name} =\\s+"([^"]+)"`, "g");
    return [...source.slice(0, start).matchAll(constant)].slice(-1).map(([, text = ""]) => text);
  });
}

/** Where the parenthesis closes that was opened before `start`; parentheses in texts come in pairs. */
function endOfArguments(source: string, start: number): number {
  let depth = 1;
  let at = start;
  for (; depth > 0 && at < source.length; at += 1) {
    if (source[at] === "(") depth += 1;
    if (source[at] === ")") depth -= 1;
  }
  return at - 1;
}

const files = ["kafka", "pipeline", "service", "sinks", "http"]
  .map((part) => join("src", part))
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name)),
  );
const logged = [...files, join("src", "cli", "actions", "run.ts")].flatMap((file) =>
  messagesIn(readFileSync(file, "utf8")).map((message) => ({ file, message })),
);

test("every message that the service logs has a row on the page of log lines", () => {
  const missing = logged.filter(({ message }) => !documented.includes(message));
  assert.deepEqual(missing, []);
  assert.ok(logged.length > 30, `found only ${logged.length} messages`);
});

test("the page of log lines has no message that the service does not log, and none twice", () => {
  const messages = logged.map(({ message }) => message);
  assert.deepEqual(
    documented.filter((message) => !messages.includes(message)),
    [],
  );
  assert.equal(new Set(documented).size, documented.length);
});

test("every warning about a topic's settings is on the page", () => {
  const source = readFileSync(join("src", "sinks", "kafka", "topic.ts"), "utf8");
  const warnings = [...source.matchAll(/message:\s*["`]([^"`]+)["`]/g)].map(([, text = ""]) =>
    text.replaceAll(/\$\{[^}]+\}/g, "..."),
  );
  assert.equal(warnings.length, 12);
  assert.deepEqual(
    warnings.filter((warning) => !page.includes(`- \`${warning}\``)),
    [],
  );
});
