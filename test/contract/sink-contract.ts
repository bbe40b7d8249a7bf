import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { OutboundEvent } from "../../src/events/outbound-event.ts";
import type { PublishOutcome, Sink, SinkFailureKind } from "../../src/sinks/sink.ts";
import { range } from "../support/run-pipeline.ts";
import { sampleOutbound, sequenceOf } from "../support/sample-events.ts";
import { scaled } from "../support/scale.ts";
import { settled, until } from "../support/until.ts";

/** One place to publish to, fresh for each test. */
export interface SinkUnderTest {
  /** Makes a sink on that place; every call makes another one on the same place. */
  create(): Sink;
  /** What arrived there, in its order; read by something other than the sink. */
  read(): Promise<readonly { readonly id: string; readonly partitionkey: string }[]>;
  /** Makes the place refuse everything (broker down, directory gone). */
  breakDown(): Promise<void>;
  /** Undoes `breakDown`. */
  repair(): Promise<void>;
  /** True if only a new sink can continue after the repair, as after a restart. Default false. */
  readonly needsRestart?: boolean;
}

/** A kind of sink for the suite. */
export interface SinkSuite {
  readonly name: string;
  readonly setUp: (context: TestContext) => Promise<SinkUnderTest>;
}

const signal = new AbortController().signal;
const kinds: readonly SinkFailureKind[] = ["retry-identical", "reset", "poison", "config", "auth"];

/** The suite that every sink passes. */
export function testSinkContract({ name, setUp }: SinkSuite): void {
  describe(`sink contract: ${name}`, () => {
    test("a batch is acknowledged whole and arrives in the order of each key", async (t) => {
      const place = await setUp(t);
      const sink = place.create();
      await sink.open(signal);
      const events = range(1, scaled(200)).map((n) => sampleOutbound(n, `ca/${n % 7}`));
      await publishAll(sink, events);
      await sink.close();
      assertDelivered(await place.read(), events);
    });

    test("lanes are used at the same time, each in its order", async (t) => {
      const place = await setUp(t);
      const sink = place.create();
      await sink.open(signal);
      const events = range(1, scaled(400)).map((n) => sampleOutbound(n, `ca/${n % 40}`));
      await Promise.all([...byLane(sink, events)].map(([lane, own]) => inBatches(sink, lane, own)));
      await sink.close();
      assertDelivered(await place.read(), events);
    });

    test("the same key has the same lane while the sink is open, and every lane is in range", async (t) => {
      const sink = (await setUp(t)).create();
      await sink.open(signal);
      assert.ok(sink.lanes >= 1);
      for (const n of range(1, 50)) {
        const lane = sink.laneOf(sampleOutbound(n, `ca/${n}`));
        assert.ok(Number.isInteger(lane) && lane >= 0 && lane < sink.lanes);
        assert.equal(sink.laneOf(sampleOutbound(n + 1000, `ca/${n}`)), lane);
      }
      await sink.close();
    });

    test("a second sink on the same place continues after the first", async (t) => {
      const place = await setUp(t);
      const events = range(1, 60).map((n) => sampleOutbound(n, `ca/${n % 3}`));
      for (const part of [events.slice(0, 30), events.slice(30)]) {
        const sink = place.create();
        await sink.open(signal);
        await publishAll(sink, part);
        await sink.close();
      }
      assertDelivered(await place.read(), events);
    });

    test("a sink that was closed can be opened again", async (t) => {
      const place = await setUp(t);
      const sink = place.create();
      const events = range(1, 20).map((n) => sampleOutbound(n));
      await sink.open(signal);
      await publishAll(sink, events.slice(0, 10));
      await sink.close();
      await sink.open(signal);
      await publishAll(sink, events.slice(10));
      await sink.close();
      assertDelivered(await place.read(), events);
    });

    test("a close during a publish ends both, and what was acknowledged is there", async (t) => {
      const place = await setUp(t);
      const sink = place.create();
      await sink.open(signal);
      const events = range(1, 100).map((n) => sampleOutbound(n));
      const publishing = sink.publish(sink.laneOf(events[0]!), events, signal);
      const both = Promise.all([publishing, sink.close()]);
      const [outcome] = await settled(both, "publishing and closing have ended");
      assertOutcome(outcome, events.length);
      await assertArrived(place, events.slice(0, outcome.acknowledged));
    });

    test("an aborted publish ends soon, and what was acknowledged is there", async (t) => {
      const place = await setUp(t);
      const sink = place.create();
      await sink.open(signal);
      const stop = new AbortController();
      const events = range(1, 100).map((n) => sampleOutbound(n));
      const publishing = sink.publish(sink.laneOf(events[0]!), events, stop.signal);
      stop.abort();
      const outcome = await settled(publishing, "the aborted publish has ended");
      assertOutcome(outcome, events.length);
      await sink.close();
      await assertArrived(place, events.slice(0, outcome.acknowledged));
    });

    test("if its place is gone a publish fails with a known kind, and after the repair nothing is missing", async (t) => {
      const place = await setUp(t);
      let sink = place.create();
      await sink.open(signal);
      const events = range(1, 40).map((n) => sampleOutbound(n));
      await publishAll(sink, events.slice(0, 20));
      await place.breakDown();
      const lane = sink.laneOf(events[0]!);
      const publishing = sink.publish(lane, events.slice(20), signal);
      const outcome = await settled(publishing, "publishing has failed");
      assertOutcome(outcome, 20);
      assert.ok(outcome.failure, "a publish to a place that is gone cannot succeed");
      await place.repair();
      if (place.needsRestart) {
        await sink.close();
        sink = place.create();
        await sink.open(signal);
      }
      await publishAll(sink, events.slice(20 + outcome.acknowledged));
      await sink.close();
      assertDelivered(await place.read(), events);
    });
  });
}

function byLane(sink: Sink, events: readonly OutboundEvent[]): Map<number, OutboundEvent[]> {
  const lanes = new Map<number, OutboundEvent[]>();
  for (const event of events) {
    const lane = sink.laneOf(event);
    lanes.set(lane, [...(lanes.get(lane) ?? []), event]);
  }
  return lanes;
}

async function inBatches(sink: Sink, lane: number, events: readonly OutboundEvent[]) {
  for (let at = 0; at < events.length; at += 10) {
    await publishWhole(sink, lane, events.slice(at, at + 10));
  }
}

async function publishAll(sink: Sink, events: readonly OutboundEvent[]): Promise<void> {
  for (const [lane, own] of byLane(sink, events)) await publishWhole(sink, lane, own);
}

/** Publishes as the pipeline does: retries what is left until all of it is acknowledged. */
async function publishWhole(sink: Sink, lane: number, events: readonly OutboundEvent[]) {
  let rest = events;
  let cause: Error | undefined;
  const isDone = async (): Promise<boolean> => {
    const outcome = await sink.publish(lane, rest, signal);
    assertOutcome(outcome, rest.length);
    rest = rest.slice(outcome.acknowledged);
    cause = outcome.failure?.cause;
    return rest.length === 0;
  };
  await until(isDone, "a batch is acknowledged", { everyMs: 200, state: () => cause });
}

function assertOutcome(outcome: PublishOutcome, events: number): void {
  assert.ok(outcome.acknowledged >= 0 && outcome.acknowledged <= events);
  assert.equal(outcome.failure === undefined, outcome.acknowledged === events);
  if (outcome.failure) assert.ok(kinds.includes(outcome.failure.kind), outcome.failure.kind);
}

type Arrived = Awaited<ReturnType<SinkUnderTest["read"]>>;

/** Nothing is missing or foreign, and the first deliveries of each key keep their order. */
export function assertDelivered(
  arrived: Arrived,
  sent: readonly Pick<OutboundEvent, "id">[],
): void {
  const first = new Map<string, Arrived[number]>();
  for (const event of arrived) if (!first.has(event.id)) first.set(event.id, event);
  const missing = sent.filter(({ id }) => !first.has(id)).map(sequenceOf);
  assert.deepEqual(missing, [], "missing events");
  const ids = new Set(sent.map(({ id }) => id));
  const foreign = [...first.keys()].filter((id) => !ids.has(id));
  assert.deepEqual(foreign, [], "events that nobody sent");
  const last = new Map<string, number>();
  for (const event of first.values()) {
    const sequence = sequenceOf(event);
    assert.ok(sequence > (last.get(event.partitionkey) ?? 0), `${sequence} came too late`);
    last.set(event.partitionkey, sequence);
  }
}

async function assertArrived(place: SinkUnderTest, events: readonly OutboundEvent[]) {
  const arrived = new Set((await place.read()).map(({ id }) => id));
  const missing = events.filter(({ id }) => !arrived.has(id)).map(sequenceOf);
  assert.deepEqual(missing, [], "acknowledged events that did not arrive");
}
