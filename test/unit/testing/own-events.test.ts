import assert from "node:assert/strict";
import { test } from "node:test";
import { testCa } from "../../../src/testing/ca/test-ca.ts";

/** Changes every member of an event, at each depth. */
function spoil(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    spoil(inner);
    Reflect.set(value, key, typeof inner === "string" ? "spoilt" : undefined);
  }
  if (Array.isArray(value)) value.length = 0;
}

test("what a test changes in an event of the kit is in no other event", () => {
  const eventsOf = () => {
    const ca = testCa({ seed: "own events" });
    return [ca.issue(), ca.issue(), ...ca.publishCrl()];
  };
  const expected = JSON.stringify(eventsOf());
  for (let round = 0; round < 4; round += 1) {
    const events = eventsOf();
    assert.equal(JSON.stringify(events), expected);
    for (const event of events) {
      spoil(event.data);
      assert.ok(!JSON.stringify(event.data).includes("http"), "nothing of it is left");
    }
  }
});
