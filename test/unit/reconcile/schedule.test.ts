import assert from "node:assert/strict";
import { test } from "node:test";
import { nextTime, type Schedule } from "../../../src/reconcile/schedule.ts";

const hour = 3_600_000;
const daily: Schedule = { everyMs: 24 * hour, atMinute: 120 };

/** A local time of January 2026, in ms since 1970. */
function january(day: number, hours: number, minutes = 0): number {
  return new Date(2026, 0, day, hours, minutes).getTime();
}

test("the next time of a daily schedule is today if it is still to come, else tomorrow", () => {
  assert.equal(nextTime(daily, january(5, 1, 59)), january(5, 2));
  assert.equal(nextTime(daily, january(5, 2)), january(6, 2));
  assert.equal(nextTime(daily, january(31, 23)), new Date(2026, 1, 1, 2).getTime());
});

test("a schedule of several times a day has all of them, by the one that is given", () => {
  const schedule = { everyMs: 6 * hour, atMinute: 8 * 60 + 30 };
  const times = [january(5, 2, 30), january(5, 8, 30), january(5, 14, 30), january(5, 20, 30)];
  let now = january(5, 0);
  for (const time of [...times, january(6, 2, 30)]) {
    assert.equal(nextTime(schedule, now), time);
    now = time;
  }
});

test("a schedule of several days counts from the last comparison, and takes the next time if that is overdue or unknown", () => {
  const schedule = { everyMs: 3 * 24 * hour, atMinute: 120 };
  assert.equal(nextTime(schedule, january(5, 3)), january(6, 2));
  assert.equal(nextTime(schedule, january(5, 3), january(5, 2)), january(8, 2));
  assert.equal(nextTime(schedule, january(8, 2), january(5, 2)), january(9, 2));
  assert.equal(nextTime(schedule, january(20, 3), january(5, 2)), january(21, 2));
});

test("each day has its time, also those on which the clocks change", () => {
  let now = new Date(2026, 0, 1).getTime();
  for (let day = 1; day <= 366; day += 1) {
    const next = nextTime({ everyMs: 24 * hour, atMinute: 150 }, now);
    const wanted = new Date(2026, 0, day, 0, 150).getTime();
    assert.equal(next, wanted, new Date(wanted).toString());
    now = next;
  }
});
