import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { OutboundEvent } from "../../src/events/outbound-event.ts";
import { rabbitMqSink } from "../support/make-sink.ts";
import { range } from "../support/run-pipeline.ts";
import { sampleOutbound } from "../support/sample-events.ts";
import { settled, until } from "../support/until.ts";
import { OneRabbitmq } from "./support/one-rabbitmq.ts";

const signal = new AbortController().signal;
const returned = 25;
/** More than the window, so that the channel still gets events after the first ones that a new leader has stored. */
const batchSize = 2000;

/** Leaders that end: one alone may end at a moment when nothing is lost. */
const leaders = 8;

suite("a stream whose leader ends while events are published", () => {
  const rabbitmq = new OneRabbitmq("leader");

  /** Ends the process that writes the stream, and waits until the broker has started another one. */
  async function endLeader(stream: string): Promise<void> {
    const find = `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${stream}">>)), Leader = amqqueue:get_pid(Q)`;
    const evaluate = (program: string) => rabbitmq.ctl("eval", `${program}, pid_to_list(Leader).`);
    const old = await evaluate(`${find}, exit(Leader, kill)`);
    await until(async () => (await evaluate(find)) !== old, "the stream has another leader");
  }

  /** Ids of the events in a stream, up to the one with id `last`. */
  function idsUntil(stream: string, last: string): Promise<Set<unknown>> {
    return rabbitmq.withChannel(async (channel) => {
      await channel.prefetch(batchSize);
      const ids = new Set<unknown>();
      const reading = new Promise<void>((resolve) => {
        const options = { arguments: { "x-stream-offset": "first" } };
        const receive = (message: Parameters<Parameters<typeof channel.consume>[1]>[0]): void => {
          if (message === null) return;
          ids.add(message.properties.messageId);
          channel.ack(message);
          if (message.properties.messageId === last) resolve();
        };
        void channel.consume(stream, receive, options);
      });
      await settled(reading, "the stream is read");
      return ids;
    });
  }

  test("has every confirmed event, also after the broker returned some", async (t) => {
    const name = rabbitmq.freshName();
    await rabbitmq.withChannel(async (channel) => {
      await channel.assertExchange(name, "topic");
      await channel.assertQueue(name, { arguments: { "x-queue-type": "stream" } });
    });
    const sink = rabbitMqSink(rabbitmq.urls, name, { lanes: 1 });
    t.after(() => sink.close());
    await sink.open();
    const take = (from: number, count: number): OutboundEvent[] =>
      range(from, from + count - 1).map((n) => sampleOutbound(n, `ca/${n}`));
    const { failure } = await sink.publish(0, take(1, returned), signal);
    assert.equal(failure?.kind, "unroutable");
    await rabbitmq.withChannel((channel) => channel.bindQueue(name, name, "#"));

    const confirmed: string[] = [];
    const publishBatch = async (): Promise<void> => {
      const batch = take(returned + confirmed.length + 1, batchSize);
      const { acknowledged } = await sink.publish(0, batch, signal);
      confirmed.push(...batch.slice(0, acknowledged).map(({ id }) => id));
    };
    const ended = new AbortController();
    const endLeaders = async (): Promise<void> => {
      for (let count = 0; count < leaders; count += 1) {
        await endLeader(name);
        const before = confirmed.length;
        await until(() => confirmed.length > before, "the new leader has confirmed a batch");
      }
    };
    const ending = endLeaders().finally(() => ended.abort());
    while (!ended.signal.aborted) await publishBatch();
    await ending;
    await publishBatch();
    const ids = await idsUntil(name, confirmed.at(-1) ?? "");
    const missing = confirmed.filter((id) => !ids.has(id));
    assert.deepEqual(missing, [], `of ${confirmed.length} confirmed`);
  });
});
