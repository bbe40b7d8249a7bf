import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const page = readFileSync("docs/reference/windows-service.md", "utf8");
const host = join("addon", "service_host");
const sources = readdirSync(host)
  .filter((name) => name.endsWith(".cc"))
  .map((name) => readFileSync(join(host, name), "utf8"))
  .join("\n");

function all(text: string, pattern: RegExp): Set<string> {
  return new Set([...text.matchAll(pattern)].map(([, ...groups]) => groups.join(" ")));
}

test("every line that the service host logs has a row with its level, and no row is stale", () => {
  const levels: Readonly<Record<string, string>> = { Info: "info", Warn: "warn", Error: "error" };
  const logged = [...sources.matchAll(/Level::k(\w+),\s*"([^"]+)"/g)].map(
    ([, level = "", message]) => `${message} ${levels[level]}`,
  );
  const documented = all(page, /^\| `([^`]+)` \| (info|warn|error) \|/gm);
  assert.deepEqual(documented, new Set(logged));
});

test("every option of the service host is on its page, and the page has no other", () => {
  const [, usage = ""] = sources.split("kUsage[] =");
  const options = all(usage.slice(0, usage.indexOf("}  // namespace")), /(--[a-z][a-z-]*)/g);
  assert.deepEqual(all(page, /(--[a-z][a-z-]*)/g), options);
});

test("every entry of the event log has a section under its number, and no section is stale", () => {
  const messages = readFileSync("addon/event_log/messages.mc", "utf8");
  const sections = readFileSync("docs/reference/event-log.md", "utf8");
  assert.deepEqual(all(sections, /^## (\d+):/gm), all(messages, /^MessageId=(\d+)/gm));
});
