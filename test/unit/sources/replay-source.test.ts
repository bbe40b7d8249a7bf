import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplaySource } from "../../../src/sources/replay-source.ts";
import { sampleEvent } from "../../support/sample-events.ts";

test("a source that breaks gives what was read, ends, and reports the error", async () => {
  const broken = (async function* () {
    yield sampleEvent(1);
    await Promise.reject(new Error("EIO"));
  })();
  const source = new ReplaySource(broken, {});
  const { signal } = new AbortController();
  assert.equal([...((await source.next(signal))?.records ?? [])].length, 1);
  assert.equal(await source.next(signal), null);
  assert.throws(() => source.throwIfFailed(), { message: "EIO" });
});
