import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { nextTime, overdueAfter, type Schedule } from "../../../src/reconcile/schedule.ts";

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

test("a last comparison that is later than now does not count", () => {
  const schedule = { everyMs: 3 * 24 * hour, atMinute: 120 };
  assert.equal(nextTime(schedule, january(5, 3), january(25, 2)), january(6, 2));
});

test("there is no next time where there are no dates", () => {
  const every = { ...daily, hours: { from: 60, to: 180 } };
  for (const ms of [-1e300, Number.NEGATIVE_INFINITY, 8.64e15, 1e300]) {
    assert.equal(nextTime(every, ms), Number.POSITIVE_INFINITY);
    assert.equal(overdueAfter(daily, ms), Number.POSITIVE_INFINITY);
  }
});

test("times outside the hours in which the database may be read are left out", () => {
  const schedule = { everyMs: 6 * hour, atMinute: 120, hours: { from: 1320, to: 540 } };
  assert.equal(nextTime(schedule, january(5, 0)), january(5, 2));
  assert.equal(nextTime(schedule, january(5, 2)), january(5, 8));
  assert.equal(nextTime(schedule, january(5, 8)), january(6, 2));
});

test("a comparison is overdue after twice its interval, or after its second time if that is later", () => {
  assert.equal(overdueAfter(daily, january(5, 2)), january(7, 2));
  const nights = { everyMs: 3 * hour, atMinute: 120, hours: { from: 1320, to: 360 } };
  assert.equal(overdueAfter(nights, january(5, 2)), january(5, 23));
  assert.equal(overdueAfter(nights, january(5, 5)), january(6, 2));
});

/** The times of a schedule after another, in a zone; each as a JSON date. */
function timesIn(zone: string, schedule: Schedule, after: string, count: number): string[] {
  const module = new URL("../../../src/reconcile/schedule.js", import.meta.url).href;
  const program = `
    const { nextTime } = await import(${JSON.stringify(module)});
    let now = Date.parse(${JSON.stringify(after)});
    for (let left = ${count}; left > 0; left -= 1) {
      now = nextTime(${JSON.stringify(schedule)}, now);
      console.log(new Date(now).toJSON());
    }`;
  const text = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
    env: { ...process.env, TZ: zone },
    encoding: "utf8",
  });
  return text.trimEnd().split("\n");
}

test("a daily time follows the clocks of the machine; one that they leave out is an hour later", () => {
  // On 29 March 2026 02:00 becomes 03:00 in Berlin, on 25 October 03:00 becomes 02:00.
  const nightly = { everyMs: 24 * hour, atMinute: 150 };
  assert.deepEqual(timesIn("Europe/Berlin", nightly, "2026-03-27T12:00:00Z", 3), [
    "2026-03-28T01:30:00.000Z",
    "2026-03-29T01:30:00.000Z",
    "2026-03-30T00:30:00.000Z",
  ]);
  assert.deepEqual(timesIn("Europe/Berlin", nightly, "2026-10-23T12:00:00Z", 3), [
    "2026-10-24T00:30:00.000Z",
    "2026-10-25T00:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
  ]);
});

test("an hourly schedule has no time twice when the clocks are set back, and none that they leave out", () => {
  const hourly = { everyMs: hour, atMinute: 0 };
  assert.deepEqual(timesIn("Europe/Berlin", hourly, "2026-10-24T23:30:00Z", 3), [
    "2026-10-25T00:00:00.000Z",
    "2026-10-25T02:00:00.000Z",
    "2026-10-25T03:00:00.000Z",
  ]);
  assert.deepEqual(timesIn("Europe/Berlin", hourly, "2026-03-28T23:30:00Z", 3), [
    "2026-03-29T00:00:00.000Z",
    "2026-03-29T01:00:00.000Z",
    "2026-03-29T02:00:00.000Z",
  ]);
});
