import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { unlessAborted } from "../../src/waiting.ts";

test("what a step gives after the abort is discarded", async () => {
  const stop = new AbortController();
  const discarded: string[] = [];
  const { promise, give } = later();
  const outcome = unlessAborted(promise, stop.signal, {
    discard: (late) => discarded.push(late),
  });
  stop.abort(new Error("stopped"));
  await assert.rejects(outcome, /stopped/);
  assert.deepEqual(discarded, []);
  give("a connection");
  await turn();
  assert.deepEqual(discarded, ["a connection"]);
});

test("what a step gave before the abort is returned, and not discarded", async () => {
  const stop = new AbortController();
  const discarded: string[] = [];
  const { promise, give } = later();
  const outcome = unlessAborted(promise, stop.signal, {
    discard: (late) => discarded.push(late),
  });
  give("a connection");
  stop.abort(new Error("stopped"));
  assert.equal(await outcome, "a connection");
  await turn();
  assert.deepEqual(discarded, []);
});

test("a step that begins after the abort is discarded, also one that has already ended", async () => {
  const discarded: string[] = [];
  const signal = AbortSignal.abort(new Error("stopped"));
  const outcome = unlessAborted(Promise.resolve("a connection"), signal, {
    discard: (late) => discarded.push(late),
  });
  await assert.rejects(outcome, /stopped/);
  await turn();
  assert.deepEqual(discarded, ["a connection"]);
});

test("a step that is given up rejects with the error that its caller has for that", async () => {
  const stop = new AbortController();
  const discarded: string[] = [];
  const { promise, give } = later();
  const outcome = unlessAborted(promise, stop.signal, {
    discard: (late) => discarded.push(late),
    error: () => new Error("the publish was stopped"),
  });
  stop.abort(new Error("stopped"));
  await assert.rejects(outcome, { message: "the publish was stopped" });
  give("a connection");
  await turn();
  assert.deepEqual(discarded, ["a connection"]);
});

/** A promise, and what fulfils it. */
function later(): { promise: Promise<string>; give: (value: string) => void } {
  let give: (value: string) => void = () => undefined;
  const promise = new Promise<string>((resolve) => {
    give = resolve;
  });
  return { promise, give };
}
