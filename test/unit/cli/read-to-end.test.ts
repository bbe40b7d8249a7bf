import assert from "node:assert/strict";
import { test } from "node:test";
import { type Passed, readToEnd } from "../../../src/cli/verify/read-to-end.ts";
import { Tally } from "../../../src/cli/verify/tally.ts";
import type { EventSource, SourceHost } from "../../../src/consumer/event-source.ts";
import type { ReceivedMessage } from "../../../src/consumer/message.ts";
import { Session } from "../../../src/consumer/session.ts";
import { Findings } from "../../../src/evidence/finding.ts";
import { JournalTruth } from "../../support/journal-truth.ts";
import { patienceMs, settled } from "../../support/until.ts";

const plan = [
  { records: [{ do: "issue" }, { do: "issue" }, { do: "issue" }], end: "clean" },
] as const;
const { events } = new JournalTruth(
  "a",
  plan.map((each) => ({ ...each, isNextMissing: false })),
);
const never = new AbortController().signal;

function message(place: string, offset: number, event: object): ReceivedMessage {
  const body = Buffer.from(JSON.stringify(event));
  return { place: `${place}@${offset}`, headers: {}, body, isRedelivered: false };
}

/** A source that does something, and then waits until it is stopped. */
function sourceOf(run: (give: (message: ReceivedMessage) => Promise<unknown>) => Promise<void>) {
  let isStopped = false;
  const source: EventSource = {
    async run(host: SourceHost) {
      const session = new Session();
      await run((each) => host.deliver(each, session));
      await new Promise<void>((resolve) => {
        host.signal.addEventListener("abort", () => resolve(), { once: true });
        if (host.signal.aborted) resolve();
      });
      isStopped = true;
    },
    lag: () => Promise.resolve([]),
  };
  return { source, isStopped: () => isStopped };
}

const extent = (place: string, low: number, high: number) => ({
  place,
  low: BigInt(low),
  high: BigInt(high),
});

test("what is delivered again is not counted, and the end need not be a message", async () => {
  const tally = new Tally("message", new Findings());
  let passed: Passed = () => undefined;
  const { source, isStopped } = sourceOf(async (give) => {
    for (const [at, event] of events.entries()) await give(message("t/0", at, event));
    await give(message("t/0", 0, events[0] ?? {}));
    passed("t/0", 9n);
  });
  const start = (call: Passed): EventSource => {
    passed = call;
    return source;
  };
  await settled(
    readToEnd({ extents: [extent("t/0", 0, 9)], source: start }, tally, 0, never),
    "all is read",
  );
  assert.equal(isStopped(), true);
  const { events: different, duplicates, holes } = tally.report();
  assert.deepEqual([tally.read, different, duplicates, holes], [5, 5, 0, 0]);
});

test("what comes after the end fills a hole, and ends the wait", async () => {
  const tally = new Tally("message", new Findings());
  const { source } = sourceOf(async (give) => {
    for (const [at, event] of events.entries()) {
      if (at !== 2) await give(message("t/0", at, event));
    }
    await give(message("t/1", 7, events[2] ?? {}));
    await give(message("t/2", 0, { ...events[4], id: `${"e".repeat(32)}-9-0` }));
  });
  const extents = [extent("t/0", 0, 5), extent("t/1", 7, 7)];
  const reading = readToEnd({ extents, source: () => source }, tally, patienceMs * 10, never);
  await settled(reading, "the hole is filled");
  assert.equal(tally.report().holes, 0);
});

test("a hole that stays is waited for no longer than asked, and then reported", async () => {
  const tally = new Tally("message", new Findings());
  const { source } = sourceOf(async (give) => {
    for (const [at, event] of events.entries()) {
      if (at !== 2) await give(message("t/0", at, event));
    }
  });
  const extents = [extent("t/0", 0, 5)];
  await settled(readToEnd({ extents, source: () => source }, tally, 20, never), "the wait is over");
  assert.equal(tally.report().holes, 1);
});

test("a source that fails ends the reading with its error", async () => {
  const { source } = sourceOf(() => Promise.reject(new Error("no rights")));
  const extents = [extent("t/0", 0, 5)];
  const reading = readToEnd(
    { extents, source: () => source },
    new Tally("message", new Findings()),
    0,
    never,
  );
  await assert.rejects(settled(reading, "the error is there"), /no rights/);
});

test("messages that were deleted meanwhile are noted", () => {
  const tally = new Tally("message", new Findings());
  const before = [extent("t/0", 3, 9), extent("t/1", 0, 4)];
  tally.compare(before, [extent("t/0", 5, 9), extent("t/1", 0, 4), extent("t/2", 1, 2)]);
  assert.deepEqual(tally.notes, ["the broker deleted messages of t/0 meanwhile: verify again"]);
});
