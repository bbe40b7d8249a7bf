import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { DeadLetter } from "../../src/consumer/dead-letter.ts";
import type { EventSource } from "../../src/consumer/event-source.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { assertConsumed, RunningConsumer } from "../support/running-consumer.ts";
import { sampleEvent, sequenceOf } from "../support/sample-events.ts";
import { scaled } from "../support/scale.ts";
import { settled, until } from "../support/until.ts";

/** A topic, queue or stream of a real broker. */
export interface ConsumerPlace {
  /** A source that continues where the last one stopped. */
  source(): EventSource;
  /** A source whose place in its group is soon free after the broker was killed. Default `source`. */
  readonly outlivingSource?: () => EventSource;
  /** Publishes events by the product's own sink. */
  publish(context: TestContext, events: readonly CertwireEvent[], mode?: string): Promise<void>;
  /** Publishes any bytes. */
  publishText(text: string): Promise<void>;
  /** Kills the broker and starts it again. */
  restartBroker(): Promise<void>;
}

/** What a source must show. */
export interface ConsumerContract {
  /** A place that nobody has used. */
  readonly makePlace: () => Promise<ConsumerPlace>;
  /** A source of a place that does not exist. */
  readonly missing: () => EventSource;
  /** True if nothing that was handled before a graceful stop is delivered again, whatever else was not handled. */
  readonly stopsWithoutRepeats: boolean;
}

const keys = 20;
const count = scaled(400, { least: 40 });

function sampleEvents(from: number, to: number): CertwireEvent[] {
  const numbers = Array.from({ length: to - from + 1 }, (_, at) => from + at);
  return numbers.map((n) => sampleEvent(n, `ca/${n % keys}`));
}

/** Registers the tests that every source of the SDK must pass. */
export function testConsumerContract(contract: ConsumerContract): void {
  for (const mode of ["structured", "binary"]) {
    test(`events in ${mode} mode arrive as they were published, each key in its order`, async (t) => {
      const place = await contract.makePlace();
      const events = sampleEvents(1, count);
      await place.publish(t, events, mode);
      const run = new RunningConsumer(t, place.source());
      await run.untilHandled(count);
      await run.stop();
      assertConsumed(run.events, events);
      const byId = new Map(run.events.map((event) => [event.id, event]));
      assert.deepEqual(
        events.map(({ id }) => byId.get(id)),
        events,
      );
    });
  }

  test("handlers that fail are tried again, and nothing changes its order", async (t) => {
    const place = await contract.makePlace();
    const events = sampleEvents(1, count);
    await place.publish(t, events);
    const failed = new Set<string>();
    const run = new RunningConsumer(t, place.source(), {}, ({ id }) => {
      if (sequenceOf({ id }) % 7 !== 0 || failed.has(id)) return;
      failed.add(id);
      throw new Error("not yet");
    });
    await run.untilHandled(count);
    await run.stop();
    assertConsumed(run.events, events);
    assert.equal(failed.size, Math.floor(count / 7));
  });

  test("after a stop in the middle the next consumer goes on; nothing is left out", async (t) => {
    const place = await contract.makePlace();
    const events = sampleEvents(1, count);
    await place.publish(t, events);
    const all: CertwireEvent[] = [];
    const stopAfter = [0.2, 0.5, 0.7].map((share) => Math.floor(count * share));
    for (const least of stopAfter) {
      const run = new RunningConsumer(t, place.source(), { concurrency: 3 }, undefined, all);
      await run.untilHandled(least);
      await run.stop();
    }
    const last = new RunningConsumer(t, place.source(), {}, undefined, all);
    await last.untilHandled(count);
    await last.stop();
    assertConsumed(all, events);
    const repeated = all.length - new Set(all.map(({ id }) => id)).size;
    t.diagnostic(`${repeated} of ${count} events were delivered twice`);
    if (contract.stopsWithoutRepeats) assert.equal(repeated, 0);
  });

  test("a stop waits for the running handler, and what that handled is not delivered again", async (t) => {
    const place = await contract.makePlace();
    await place.publish(t, sampleEvents(1, 2));
    let release: () => void = () => undefined;
    const run = new RunningConsumer(
      t,
      place.source(),
      { concurrency: 1 },
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    await run.until(() => run.consumer.stats.inProgress === 2, "both have arrived");
    const stopped = run.stop();
    release();
    await stopped;
    assert.equal(run.events.length, 1);
    const next = new RunningConsumer(t, place.source());
    await next.untilHandled(1);
    await next.stop();
    assert.deepEqual(
      next.events.map(({ id }) => sequenceOf({ id })),
      [1, 2].filter((n) => run.events.every((event) => sequenceOf(event) !== n)),
    );
  });

  test("what is not an event goes to onDeadLetter, and the events around it arrive", async (t) => {
    const place = await contract.makePlace();
    await place.publish(t, sampleEvents(1, 5));
    await place.publishText("not an event");
    await place.publish(t, sampleEvents(6, 10));
    const letters: DeadLetter[] = [];
    const onDeadLetter = (letter: DeadLetter): void => void letters.push(letter);
    const run = new RunningConsumer(t, place.source(), { onDeadLetter });
    await run.untilHandled(10);
    await run.until(() => letters.length === 1, "the dead letter has come");
    await run.stop();
    assert.equal(letters[0]?.message.body.toString(), "not an event");
    assert.equal(letters[0]?.error.code, "CERTWIRE_MESSAGE_INVALID");
  });

  test("without onDeadLetter a broken message stops the consumer, and stays where it is", async (t) => {
    const place = await contract.makePlace();
    await place.publishText("not an event");
    for (let round = 0; round < 2; round += 1) {
      const run = new RunningConsumer(t, place.source());
      const ended = settled(run.ended, "the consumer ends");
      await assert.rejects(ended, { code: "CERTWIRE_MESSAGE_INVALID" });
    }
  });

  test("a broker that is killed and comes back makes no hole, and the consumer goes on by itself", async (t) => {
    const place = await contract.makePlace();
    const first = sampleEvents(1, count);
    await place.publish(t, first);
    const run = new RunningConsumer(t, place.outlivingSource?.() ?? place.source());
    await run.untilHandled(Math.floor(count / 3));
    await place.restartBroker();
    const second = sampleEvents(count + 1, count + 50);
    await place.publish(t, second);
    await run.untilHandled(count + 50);
    await run.stop();
    assertConsumed(run.events, [...first, ...second]);
  });

  test("the lag falls to 0 while events are handled", async (t) => {
    const place = await contract.makePlace();
    await place.publish(t, sampleEvents(1, 30));
    const lagOf = async (run: RunningConsumer): Promise<number> => {
      const lags = await run.consumer.lag();
      return lags.reduce((sum, { messages }) => sum + messages, 0);
    };
    let isOpen = false;
    const run = new RunningConsumer(t, place.source(), { concurrency: 1 }, async () => {
      await until(() => isOpen, "the gate is open");
    });
    await run.until(() => run.consumer.stats.inProgress > 0, "an event has arrived");
    isOpen = true;
    await run.untilHandled(30);
    await run.until(async () => (await lagOf(run)) === 0, "the lag is 0");
    await run.stop();
    await place.publish(t, sampleEvents(31, 35));
    const isFive = async () => (await lagOf(run)) === 5;
    await until(isFive, "the stopped consumer is 5 behind", { everyMs: 100 });
  });

  test("a place that does not exist ends the consumer with an error", async (t) => {
    const run = new RunningConsumer(t, contract.missing());
    const ended = settled(run.ended, "the consumer ends");
    await assert.rejects(ended, { code: "CERTWIRE_CONSUMER_REFUSED" });
  });

  test("a consumer whose signal is aborted before it starts ends at once", async (t) => {
    const signal = AbortSignal.abort();
    await new RunningConsumer(t, contract.missing(), { signal }).ended;
  });
}
