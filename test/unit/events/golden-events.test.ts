import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { eventKinds } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { assertValid } from "../../support/exit-records.ts";
import {
  goldenPath,
  goldenText,
  makeGoldenEvents,
  readGoldenEvents,
} from "../../support/golden-events.ts";

const made = makeGoldenEvents();
const kept = readGoldenEvents();

test("the golden events are byte by byte what the service makes of the same records; after a change on purpose: npm run generate", () => {
  const names = made.map(({ name }) => name);
  assert.deepEqual(
    kept.map(({ name }) => name),
    names.toSorted(),
  );
  for (const { name, event } of made) {
    assert.equal(readFileSync(goldenPath(name), "utf8"), goldenText(event), name);
  }
});

test("there is a golden event of every kind in every variant, and no id stands for two", () => {
  for (const variant of ["standard", "full", "replayed", "redacted", "shrunk"]) {
    const own = kept.filter(({ name }) => name.startsWith(`${variant}/`));
    assert.deepEqual(own.map(({ event }) => kindOf(event)).toSorted(), eventKinds.toSorted());
  }
  assert.equal(new Set(kept.map(({ event }) => event.id)).size, kept.length);
});

test("every golden event keeps to its schema", () => {
  for (const { event } of kept) assertValid(event);
});

test("the variants differ in what they are named after", () => {
  const text = (name: string) => readFileSync(goldenPath(name), "utf8");
  assert.ok(text("full/certificate.issued").length > text("standard/certificate.issued").length);
  assert.match(text("full/certificate.issued"), /"rawRequest": \{[^}]*"der"/);
  assert.match(text("replayed/journal.gap"), /"replayed": true/);
  assert.match(text("redacted/certificate.issued"), /"reason": "redacted"/);
  assert.match(text("shrunk/certificate.issued"), /"reason": "omitted"/);
  assert.match(text("broken/certificate.issued"), /"reason": "cut"/);
});
