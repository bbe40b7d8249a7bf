import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { lifelikeEvents } from "../../test/support/lifelike-events.ts";
import { temporaryDirectory } from "../../test/support/run-cli.ts";
import { settled, until } from "../../test/support/until.ts";
import type { CertwireEvent } from "./certwire.ts";
import { Forwarder } from "./forwarder.ts";
import { RefusedFile } from "./refused.ts";
import { accepted, type Outcome } from "./siem.ts";

const { events } = lifelikeEvents("forwarder", 12, { withCrls: false });
const ids = events.map(({ id }) => id);
const never = new AbortController().signal;
const busy: Outcome = { kind: "later", reason: "busy", needsPerson: false };
const tooLarge: Outcome = { kind: "divide", reason: "too large" };
const mapping: Outcome = { kind: "refused", reason: "mapping" };

type Answer = (ids: readonly string[], request: number) => readonly Outcome[];

/** Fields of a log line. */
interface LogFields {
  readonly alarm?: boolean;
  readonly event?: string;
  readonly reason?: string;
  readonly attempt?: number;
}

/** A forwarder to a SIEM that answers as a test says; a part is the id of its event. */
function forwarderTo(
  t: TestContext,
  answer: Answer,
  batch: Partial<{ events: number; bytes: number }> = {},
) {
  const path = join(temporaryDirectory(t), "refused.ndjson");
  const requests: (readonly string[])[] = [];
  const lines: LogFields[] = [];
  const stop = new AbortController();
  const write = (fields: object): void => void lines.push(fields);
  const forwarder = new Forwarder({
    siem: {
      encode: ({ id }) => id,
      send: async (parts) => {
        requests.push(parts);
        return answer(parts, requests.length);
      },
    },
    refused: new RefusedFile(path),
    log: { debug: write, info: write, warn: write, error: write },
    stop: stop.signal,
    batch: { events: 100, bytes: 1_000_000, ...batch },
    backOff: { initialMs: 1, maxMs: 5 },
  });
  const forward = async (each: readonly CertwireEvent[]): Promise<void> => {
    const all = Promise.all(each.map((event) => forwarder.forward(event, never)));
    await settled(all, "the events are forwarded");
  };
  const refusedIds = (): string[] =>
    existsSync(path)
      ? readFileSync(path, "utf8")
          .split("\n")
          .filter(Boolean)
          .map((line) => (JSON.parse(line) as { event: CertwireEvent }).event.id)
      : [];
  return { forwarder, forward, requests, lines, stop, path, refusedIds };
}

const takeAll: Answer = (parts) => parts.map(() => accepted);

test("events whose handlers run at the same time go out in one request", async (t) => {
  const { forward, forwarder, requests } = forwarderTo(t, takeAll);
  await forward(events);
  assert.deepEqual(requests, [ids]);
  assert.deepEqual(forwarder.counts, { forwarded: events.length, refused: 0 });
});

test("a request has no more events and bytes than its limits", async (t) => {
  const byCount = forwarderTo(t, takeAll, { events: 5 });
  await byCount.forward(events);
  assert.deepEqual(
    byCount.requests.map(({ length }) => length),
    [5, 5, 2],
  );
  const bytes = 2 * Math.max(...ids.map(({ length }) => length));
  const bySize = forwarderTo(t, takeAll, { bytes });
  await bySize.forward(events);
  assert.deepEqual(bySize.requests.flat(), ids);
  assert.ok(bySize.requests.every((parts) => parts.join("").length <= bytes));
});

test("an event above the limit of bytes goes out alone", async (t) => {
  const { forward, requests } = forwarderTo(t, takeAll, { bytes: 1 });
  await forward(events);
  assert.deepEqual(
    requests,
    ids.map((id) => [id]),
  );
});

test("only what the SIEM does not take now is sent again", async (t) => {
  const { forward, requests } = forwarderTo(t, (parts, request) =>
    parts.map((_, at) => (request < 3 && at % 2 === 1 ? busy : accepted)),
  );
  await forward(events.slice(0, 4));
  assert.deepEqual(requests, [ids.slice(0, 4), [ids[1], ids[3]], [ids[3]]]);
});

test("delays grow while the SIEM takes nothing, and start anew when it takes something", async (t) => {
  const answer: Answer = (parts, request) =>
    parts.map((_, at) => (request <= 3 || (request <= 5 && at === 0) ? busy : accepted));
  const { forward, lines } = forwarderTo(t, answer, { events: 2 });
  await forward(events.slice(0, 4));
  // A line without an attempt says that the SIEM accepts again.
  assert.deepEqual(
    lines.map(({ attempt }) => attempt),
    [1, 2, 3, undefined, 1, undefined, 1, undefined],
  );
});

test("a refused event is in the file before its handler resolves, with an alarm", async (t) => {
  const { forward, forwarder, lines, refusedIds } = forwarderTo(t, (parts) =>
    parts.map((id) => (id === ids[2] ? mapping : accepted)),
  );
  await forward(events);
  assert.deepEqual(refusedIds(), [ids[2]]);
  const alarms = lines.filter(({ alarm }) => alarm);
  assert.deepEqual(
    alarms.map(({ event, reason }) => [event, reason]),
    [[ids[2], "mapping"]],
  );
  assert.deepEqual(forwarder.counts, { forwarded: events.length - 1, refused: 1 });
});

test("of a request that is too large only the event that is too large alone is refused", async (t) => {
  const { forward, requests, refusedIds } = forwarderTo(t, (parts) =>
    parts.map(() => (parts.includes(ids[7] ?? "") ? tooLarge : accepted)),
  );
  await forward(events);
  assert.deepEqual(refusedIds(), [ids[7]]);
  const sentAlone = requests.filter(({ length }) => length === 1).flat();
  assert.ok(sentAlone.includes(ids[7] ?? ""));
});

test("while the file cannot be written a refused event is not acknowledged, and there is an alarm", async (t) => {
  const { forward, lines, path, refusedIds } = forwarderTo(t, (parts) => parts.map(() => mapping));
  mkdirSync(path);
  const forwarded = forward(events.slice(0, 1));
  await until(() => lines.filter(({ alarm }) => alarm).length > 1, "it is tried again");
  rmdirSync(path);
  await forwarded;
  assert.deepEqual(refusedIds(), [ids[0]]);
});

test("an event that nobody waits for any more is not sent", async (t) => {
  const { forwarder, forward, requests } = forwarderTo(t, (parts, request) =>
    parts.map(() => (request === 1 ? busy : accepted)),
  );
  const givenUp = new AbortController();
  const [first, second] = events;
  assert.ok(first && second);
  const abandoned = forwarder.forward(first, givenUp.signal);
  const kept = forward([second]);
  await until(() => requests.length > 0, "they are sent once");
  givenUp.abort();
  await assert.rejects(abandoned, /nobody waits/);
  await kept;
  assert.deepEqual(requests.at(-1), [second.id]);
});

test("a stop ends the tries of a SIEM that does not accept", async (t) => {
  const { forwarder, requests, stop } = forwarderTo(t, (parts) => parts.map(() => busy));
  const waiting = events.map((event) => forwarder.forward(event, never));
  const ended = Promise.all(waiting.map((each) => assert.rejects(each, /stopped: busy/)));
  await until(() => requests.length > 1, "it is tried again");
  stop.abort();
  await settled(ended, "the handlers have ended");
});

test("an answer that says nothing of an event is an alarm, and the event is sent again", async (t) => {
  const { forward, lines, requests } = forwarderTo(t, (parts, request) =>
    request === 1 ? [] : takeAll(parts, request),
  );
  await forward(events.slice(0, 2));
  assert.equal(requests.length, 2);
  assert.equal(lines.filter(({ alarm }) => alarm).length, 1);
});
