import assert from "node:assert/strict";
import { test } from "node:test";
import { leastEventBytes } from "../../../src/sinks/common-options.ts";
import { SizeLimit } from "../../../src/sinks/size-limit.ts";
import { sampleOutbound } from "../../support/sample-events.ts";

const configured = {
  batchEvents: 500,
  batchBytes: 768_000,
  lingerMs: 20,
  maxEventBytes: 900_000,
};

/** An event of so many bytes of JSON. */
function eventOf(bytes: number) {
  return { ...sampleOutbound(1), json: Buffer.alloc(bytes) };
}

test("the configured limits hold until something is learned or stated", () => {
  const limit = new SizeLimit(configured);
  assert.deepEqual(limit.limits, configured);
  assert.equal(limit.apply(), false);
  assert.equal(limit.apply(1_000_000), false, "the destination accepts more");
  assert.deepEqual(limit.limits, configured);
});

test("what is learned is in force once the sink has been opened again", () => {
  const limit = new SizeLimit(configured);
  assert.equal(limit.learn(600_000), true);
  assert.equal(limit.limits.maxEventBytes, 900_000);
  assert.equal(limit.apply(), true);
  assert.deepEqual(limit.limits, { ...configured, maxEventBytes: 600_000 });
  assert.equal(limit.apply(), false, "it stays, and is nothing new");
  assert.equal(limit.limits.maxEventBytes, 600_000);
});

test("without a number an event that is refused alone lowers the limit to three quarters of it", () => {
  const limit = new SizeLimit(configured);
  assert.equal(limit.learnFrom(eventOf(400_001)), true);
  limit.apply();
  assert.equal(limit.limits.maxEventBytes, 300_000);
});

test("an event that was not made to fit lowers nothing, since others would only lose more", () => {
  const limit = new SizeLimit(configured);
  limit.learn(300_000);
  limit.apply();
  assert.equal(limit.learnFrom(eventOf(400_000)), false);
  assert.equal(limit.learnFrom(eventOf(399_999)), true);
});

test("of what several lanes learn before the sink is opened again the least counts", () => {
  const limit = new SizeLimit(configured);
  for (const bytes of [500_000, 200_000, 400_000]) assert.equal(limit.learn(bytes), true);
  limit.apply();
  assert.equal(limit.limits.maxEventBytes, 200_000);
});

test("the limit goes down to the least size of an event, and no further", () => {
  const limit = new SizeLimit(configured);
  assert.equal(limit.learn(1), true);
  limit.apply();
  assert.equal(limit.limits.maxEventBytes, leastEventBytes);
  assert.equal(limit.learn(1), false);
  assert.equal(limit.learnFrom(eventOf(leastEventBytes)), false);
});

test("what the destination states counts beside what was learned, until it states something else", () => {
  const limit = new SizeLimit(configured);
  assert.equal(limit.apply(700_000), true);
  assert.equal(limit.limits.maxEventBytes, 700_000);
  limit.learn(500_000);
  limit.apply(700_000);
  assert.equal(limit.limits.maxEventBytes, 500_000);
  assert.equal(limit.apply(800_000), false);
  assert.equal(limit.limits.maxEventBytes, 800_000);
});

test("what was learned is forgotten after its time, and larger events are tried again", (t) => {
  let now = 5000;
  t.mock.method(performance, "now", () => now);
  const limit = new SizeLimit(configured);
  assert.equal(limit.forgetAfter(1000), false, "there is nothing to forget");
  limit.learn(500_000);
  limit.apply();
  now += 1000;
  assert.equal(limit.forgetAfter(1000), false);
  now += 1;
  assert.equal(limit.forgetAfter(1000), true);
  assert.equal(limit.forgetAfter(1000), false);
  assert.equal(limit.limits.maxEventBytes, 500_000, "in force until the sink is opened again");
  assert.equal(limit.apply(), false);
  assert.equal(limit.limits.maxEventBytes, 900_000);
});
