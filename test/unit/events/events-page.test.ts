import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventKinds } from "../../../src/events/event.ts";

const page = readFileSync(join("docs", "reference", "events.md"), "utf8");

test("the page of events lists every kind, and no other", () => {
  const types = page.slice(page.indexOf("## Types"), page.indexOf("## Attributes"));
  const listed = [...types.matchAll(/^\| `([a-z.]+)` \|/gm)].map(([, kind]) => kind);
  assert.deepEqual(listed, [...eventKinds]);
});
