import assert from "node:assert/strict";
import { test } from "node:test";
import { digestsOf, payloadsForDigests, readEventDigests } from "../../support/event-digests.ts";

const payloads = payloadsForDigests();
const kept = readEventDigests();

test("the JSON of many events, damaged ones among them, is byte by byte what it was, in every form; after a change on purpose: npm run generate", () => {
  assert.deepEqual(digestsOf(payloads), kept);
});

test("an event is the same whatever was made before it", () => {
  assert.deepEqual(
    digestsOf(payloads, (all) => all.toReversed()),
    kept,
  );
  assert.deepEqual(
    digestsOf(payloads, (all) => all.toSorted((a, b) => a.payload.length - b.payload.length)),
    kept,
  );
});
