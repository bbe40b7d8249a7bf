import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sink } from "../../src/sinks/sink.ts";
import { assertDelivered } from "../contract/sink-contract.ts";
import { sizeFromEnvironment, startFlow } from "../support/flow.ts";
import { kafkaSink, rabbitMqSink } from "../support/make-sink.ts";
import type { KafkaCluster, RabbitmqCluster } from "./support/broker-provider.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { readKafka } from "./support/read-kafka.ts";
import { readRabbitmq } from "./support/read-rabbitmq.ts";
import { TcpProxy } from "./support/tcp-proxy.ts";

const events = sizeFromEnvironment("CERTWIRE_ISOLATION_EVENTS", 4000);
// A dead sink that held up the live one would bring the ratio near 0.
const least = sizeFromEnvironment("CERTWIRE_ISOLATION_RATIO", 0.7);
const inFlight = 500;

type Arrived = { readonly id: string; readonly partitionkey: string };

/** A broker with the three ways in which it can be dead. */
interface Broker {
  readonly sink: (name: string) => Promise<Sink>;
  readonly read: (name: string) => Promise<Arrived[]>;
  readonly ways: Readonly<
    Record<string, { readonly die: () => Promise<void>; readonly live: () => Promise<void> }>
  >;
}

suite("two sinks, one of them dead", () => {
  let kafka: KafkaCluster;
  let rabbitmq: RabbitmqCluster;
  let kafkaProxy: TcpProxy;
  let rabbitmqProxy: TcpProxy;
  let names = 0;
  before(async () => {
    kafkaProxy = await TcpProxy.start();
    kafka = await startKafka({ faults: true, proxies: [kafkaProxy] });
    rabbitmq = await startRabbitmq({ faults: true });
    rabbitmqProxy = await TcpProxy.start(new URL(rabbitmq.urls[0] ?? "").host);
  });
  after(async () => {
    await Promise.all([kafkaProxy.close(), rabbitmqProxy.close()]);
    await Promise.all([kafka.stop(), rabbitmq.stop()]);
  });

  const brokers: Record<"kafka" | "rabbitmq", Broker> = {
    kafka: {
      async sink(name) {
        await kafka.createTopic(name, { partitions: 6 });
        return kafkaSink([kafkaProxy.address], name);
      },
      async read(name) {
        const messages = await readKafka(kafka.bootstrapServers, name);
        return messages.map(({ value }) => JSON.parse(value ?? ""));
      },
      ways: {
        refused: {
          die: () => kafkaProxy.setMode("refuse"),
          live: () => kafkaProxy.setMode("pass"),
        },
        "stopped with SIGSTOP": { die: () => kafka.pause(1), live: () => kafka.resume(1) },
        "a black hole": {
          die: () => kafkaProxy.setMode("black-hole"),
          live: () => kafkaProxy.setMode("pass"),
        },
      },
    },
    rabbitmq: {
      async sink(name) {
        const topology = { quorumQueues: [{ name }] };
        return rabbitMqSink([`amqp://${rabbitmqProxy.address}`], name, { topology });
      },
      async read(name) {
        const bodies = await readRabbitmq(rabbitmq.urls[0] ?? "", name);
        return bodies.map((body) => JSON.parse(body));
      },
      ways: {
        refused: {
          die: () => rabbitmqProxy.setMode("refuse"),
          live: () => rabbitmqProxy.setMode("pass"),
        },
        "stopped with SIGSTOP": { die: () => rabbitmq.pause(1), live: () => rabbitmq.resume(1) },
        "a black hole": {
          die: () => rabbitmqProxy.setMode("black-hole"),
          live: () => rabbitmqProxy.setMode("pass"),
        },
      },
    },
  };

  /** Publishes all events to a sink as fast as it takes them; returns events per second. */
  async function speedOf(t: TestContext, broker: Broker): Promise<number> {
    names += 1;
    const name = `isolation-live-${names}`;
    const flow = await startFlow(t, await broker.sink(name), {
      events,
      eventsPerSecond: 1_000_000,
      keys: 200,
    });
    const started = performance.now();
    await flow.acknowledged(events);
    const speed = events / ((performance.now() - started) / 1000);
    await flow.end();
    assertDelivered(await broker.read(name), flow.sent());
    return speed;
  }

  /**
   * The best of some runs: whatever else the machine does only makes a run slower. Fewer runs when one was
   * `enough`.
   */
  async function bestSpeedOf(
    t: TestContext,
    broker: Broker,
    { runs = 3, enough = Number.POSITIVE_INFINITY } = {},
  ): Promise<number> {
    let best = 0;
    for (let run = 0; run < runs && best < enough; run += 1) {
      best = Math.max(best, await speedOf(t, broker));
    }
    return best;
  }

  for (const [live, dead] of [
    ["kafka", "rabbitmq"],
    ["rabbitmq", "kafka"],
  ] as const) {
    for (const [way, { die, live: revive }] of Object.entries(brokers[dead].ways)) {
      test(`${live} keeps its speed while ${dead} is ${way}, and ${dead} catches up later`, async (t) => {
        names += 1;
        const name = `isolation-dead-${names}`;
        const alone = await bestSpeedOf(t, brokers[live]);
        const flow = await startFlow(t, await brokers[dead].sink(name), {
          events,
          eventsPerSecond: 500,
          keys: 200,
          settings: { maxInFlightEvents: inFlight },
        });
        await flow.acknowledged(200);
        t.after(revive);
        await die();
        await sleep(1000);
        const stuckAt = flow.pipeline.stats().acknowledgedEvents;
        const besides = await bestSpeedOf(t, brokers[live], { runs: 9, enough: least * alone });
        // What was confirmed before the end may be read after it, but no more than was under way.
        const since = flow.pipeline.stats().acknowledgedEvents - stuckAt;
        assert.ok(since <= inFlight, `${since} events went to the dead sink`);
        await revive();
        await flow.acknowledged(events, 120_000);
        await flow.end();
        assertDelivered(await brokers[dead].read(name), flow.sent());
        const ratio = besides / alone;
        t.diagnostic(`${Math.round(alone)}/s alone, ratio ${ratio.toFixed(2)} beside the dead one`);
        assert.ok(ratio >= least, `ratio ${ratio.toFixed(2)}, at least ${least} is expected`);
      });
    }
  }
});
