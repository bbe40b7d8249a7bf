import assert from "node:assert/strict";
import { test } from "node:test";
import { EventLog } from "../../../src/event-log/event-log.ts";
import type { HealthReason } from "../../../src/health/health.ts";
import { EventLogWatch, keepEventLog } from "../../../src/service/event-log-task.ts";
import type { Observation } from "../../../src/service/live-status.ts";
import { collectLog } from "../../support/collect-log.ts";
import { sampleObservation } from "../../support/sample-observation.ts";
import { turns, until } from "../../support/until.ts";

const minute = 60_000;
const start = Date.parse("2026-06-15T12:00:00.000Z");

interface Seen {
  /** Codes of the reasons about the sink, and since how many minutes after the start. */
  readonly reasons?: readonly (readonly [HealthReason["code"], number])[];
  readonly rejected?: number;
  readonly gaps?: Readonly<Record<string, number>>;
  readonly bytes?: number;
}

/** What is observed some minutes after the start; the journal may take 1000 bytes. */
function observation(minutes: number, seen: Seen): Observation {
  const sample = sampleObservation();
  const [view] = sample.views;
  const [journal] = [sample.status.journal];
  assert.ok(view !== undefined && journal !== undefined);
  const { reasons = [], rejected = 0, gaps = {}, bytes = 0 } = seen;
  return {
    ...sample,
    status: {
      ...sample.status,
      time: new Date(start + minutes * minute).toISOString(),
      reasons: reasons.map(([code, since]) => ({
        code,
        state: "degraded",
        sink: "kafka",
        since: new Date(start + since * minute).toISOString(),
        detail: "connection refused",
        meaning: "",
        hint: "",
        docs: "",
      })),
      journal: { ...journal, directory: "J", bytes, capacityBytes: 1000 },
    },
    views: [
      { ...view, stats: { ...view.stats, deadLetters: { ...view.stats.deadLetters, rejected } } },
    ],
    gaps: new Map(Object.entries(gaps)),
  };
}

/** A watch under a clock that its observations move, and the entries that it wrote. */
function watched() {
  let now = 0;
  const written: string[] = [];
  const write = async (id: number, texts: readonly string[]) =>
    void written.push([id, ...texts].join(" "));
  const eventLog = new EventLog({ write, now: () => now });
  const watch = new EventLogWatch(eventLog);
  /** The entries that came with an observation. */
  const take = async (minutes: number, seen: Seen = {}) => {
    now = minutes * minute;
    watch.take(observation(minutes, seen));
    await eventLog.flush();
    return written.splice(0);
  };
  return { take, eventLog, written };
}

test("a sink that is down for five minutes is reported once, and when it is back", async () => {
  const { take } = watched();
  const down = { reasons: [["sink-unreachable", 0]] } as const;
  assert.deepEqual(await take(4, down), []);
  assert.deepEqual(await take(5, down), ["52 kafka 5 min connection refused"]);
  assert.deepEqual(await take(30, down), []);
  assert.deepEqual(await take(31), ["53 kafka 31 min"]);
  assert.deepEqual(await take(32), []);
});

test("an outage that changes its reason is one outage", async () => {
  const { take } = watched();
  await take(0, { reasons: [["sink-unreachable", 0]] });
  await take(3, { reasons: [["sink-refused", 3]] });
  assert.deepEqual(await take(5, { reasons: [["sink-refused", 3]] }), [
    "52 kafka 5 min connection refused",
  ]);
});

test("a short outage, and another reason, are no entry", async () => {
  const { take } = watched();
  assert.deepEqual(await take(1, { reasons: [["sink-unreachable", 0]] }), []);
  assert.deepEqual(await take(2), []);
  assert.deepEqual(await take(60, { reasons: [["sink-behind", 0]] }), []);
});

test("a second outage within ten minutes is reported when they are over, if it lasts", async () => {
  const { take } = watched();
  await take(5, { reasons: [["sink-busy", 0]] });
  await take(6);
  assert.deepEqual(await take(12, { reasons: [["sink-busy", 7]] }), []);
  assert.deepEqual(await take(15, { reasons: [["sink-busy", 7]] }), [
    "52 kafka 8 min connection refused",
  ]);
});

test("dead letters are reported when they begin, and then once an hour while there are more", async () => {
  const { take } = watched();
  assert.deepEqual(await take(0), []);
  assert.deepEqual(await take(1, { rejected: 1 }), ["54 kafka 1"]);
  assert.deepEqual(await take(30, { rejected: 500 }), []);
  assert.deepEqual(await take(61, { rejected: 500 }), ["54 kafka 500"]);
  assert.deepEqual(await take(300, { rejected: 500 }), []);
});

test("gaps are reported by reason, but not an unclean stop", async () => {
  const { take } = watched();
  assert.deepEqual(await take(1, { gaps: { "unclean-stop": 3, corrupt: 1 } }), ["55 corrupt 1"]);
  const more = { gaps: { "unclean-stop": 3, corrupt: 1, overflow: 2 } };
  assert.deepEqual(await take(2, more), ["55 overflow 2"]);
});

test("a journal is reported at 80 %, and again only after it was below 75 %", async () => {
  const { take } = watched();
  assert.deepEqual(await take(0, { bytes: 799 }), []);
  assert.deepEqual(await take(1, { bytes: 800 }), ["56 J 80"]);
  assert.deepEqual(await take(100, { bytes: 760 }), []);
  assert.deepEqual(await take(200, { bytes: 810 }), []);
  assert.deepEqual(await take(201, { bytes: 740 }), []);
  assert.deepEqual(await take(202, { bytes: 900 }), ["56 J 90"]);
});

test("a sink that is back is reported later if too many entries wait, and as one outage if it fails again", async () => {
  let now = 0;
  const release: (() => void)[] = [];
  const written: string[] = [];
  const write = (id: number, texts: readonly string[]) =>
    new Promise<void>((resolve) => {
      release.push(() => {
        written.push([id, ...texts].join(" "));
        resolve();
      });
    });
  const eventLog = new EventLog({ write, now: () => now });
  const watch = new EventLogWatch(eventLog);
  const take = (minutes: number, seen: Seen = {}) => {
    now = minutes * minute;
    watch.take(observation(minutes, seen));
  };
  const releaseAll = async () => {
    do {
      for (const each of release.splice(0)) each();
      await turns();
    } while (release.length > 0);
  };
  take(5, { reasons: [["sink-unreachable", 0]] });
  while (eventLog.report("service-started", ["x"]));
  take(6);
  take(7, { reasons: [["sink-unreachable", 7]] });
  take(8);
  await releaseAll();
  assert.ok(!written.some((entry) => entry.startsWith("53")));
  take(9);
  await releaseAll();
  assert.deepEqual(
    written.filter((entry) => /^5[23] /.test(entry)),
    ["52 kafka 5 min connection refused", "53 kafka 8 min"],
  );
  take(10);
  await releaseAll();
  assert.equal(written.filter((entry) => entry.startsWith("53")).length, 1);
});

test("the last look is not older than the stop, and does not take a sink that is closed for one that is back", async () => {
  const { eventLog, written } = watched();
  const stop = new AbortController();
  const { log } = collectLog();
  const asked: (boolean | undefined)[] = [];
  const down = { reasons: [["sink-blocked", 0]] } as const;
  const observe = async (isFresh?: boolean) => {
    asked.push(isFresh);
    return isFresh ? observation(6, { rejected: 7 }) : observation(5, down);
  };
  const task = keepEventLog({ status: { observe }, eventLog, log, intervalMs: 1 }, stop.signal);
  await until(() => asked.length > 1, "the first looks");
  stop.abort();
  await task;
  await eventLog.flush();
  assert.equal(asked.at(-1), true);
  assert.deepEqual(written, ["52 kafka 5 min connection refused", "54 kafka 7"]);
});

test("a stop reports what is new since the last look", async () => {
  const { eventLog, written } = watched();
  const stop = new AbortController();
  const observe = async () => observation(1, { rejected: 7 });
  const { log } = collectLog();
  const options = { status: { observe }, eventLog, log, intervalMs: 3_600_000 };
  const task = keepEventLog(options, stop.signal);
  stop.abort();
  await task;
  await eventLog.flush();
  assert.deepEqual(written, ["54 kafka 7"]);
});

test("a state of health that cannot be read ends nothing, and later entries are written", async () => {
  const { eventLog, written } = watched();
  const { log, lines } = collectLog();
  const stop = new AbortController();
  let looks = 0;
  const observe = async () => {
    looks += 1;
    if (looks === 1) throw new Error("EIO");
    return observation(1, { rejected: 7 });
  };
  const task = keepEventLog({ status: { observe }, eventLog, log, intervalMs: 1 }, stop.signal);
  await until(() => looks > 1, "the health is read again");
  stop.abort();
  await task;
  await eventLog.flush();
  assert.deepEqual(written, ["54 kafka 7"]);
  assert.deepEqual(
    lines.map(({ msg, error }) => [msg, error]),
    [["cannot assess the health", "EIO"]],
  );
});
