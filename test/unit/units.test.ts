import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration } from "../../src/units.ts";

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];

test("durations are written for people, in their two largest units", () => {
  const texts = [second, 61 * second, 3 * hour, day + 90 * minute, 40 * day, day + minute];
  assert.deepEqual(
    texts.map((ms) => formatDuration(ms)),
    ["1 s", "1 min 1 s", "3 h", "1 d 1 h", "40 d", "1 d"],
  );
  assert.equal(formatDuration(200 * minute, 1), "3 h");
});

test("durations of one to ten seconds have a decimal if they need one", () => {
  const texts = [1000, 1099, 3456, 9999, 10_000, 12_345].map((ms) => formatDuration(ms));
  assert.deepEqual(texts, ["1 s", "1 s", "3.4 s", "9.9 s", "10 s", "12 s"]);
});

test("durations below a second have three digits, and what is not measurable is 0 s", () => {
  const texts = [999.6, 999, 12.345, 1.234, 0.9996, 0.9, 0.01229, 0, -5].map((ms) =>
    formatDuration(ms),
  );
  assert.deepEqual(texts, [
    "1 s",
    "999 ms",
    "12.3 ms",
    "1.23 ms",
    "1 ms",
    "900 µs",
    "12.3 µs",
    "0 s",
    "0 s",
  ]);
});
