// A quorum queue goes on with another leader. A durable classic queue lives on one node. While that node is down, the other nodes of RabbitMQ 3 return its messages as
// if it had no binding; those of RabbitMQ 4 refuse them with a nack.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { type Channel, connect } from "amqplib";
import { assertDelivered } from "../contract/sink-contract.ts";
import { countDuplicates, startFlow } from "../support/flow.ts";
import { rabbitMqSink } from "../support/make-sink.ts";
import { MemorySource } from "../support/memory-source.ts";
import { testPipeline } from "../support/run-pipeline.ts";
import { RunningService } from "../support/running-service.ts";
import { sampleEvent, sampleOutbound } from "../support/sample-events.ts";
import { scaled, sizeFromEnvironment } from "../support/scale.ts";
import { flushed, journalDirectory, openSmall, smallEvent } from "../support/small-journal.ts";
import { patienceMs, until } from "../support/until.ts";
import type { RabbitmqCluster } from "./support/broker-provider.ts";
import { startRabbitmq } from "./support/brokers.ts";
import { readRabbitmq } from "./support/read-rabbitmq.ts";

/** Node on which the queues live; the sinks are connected to another. */
const home = 2;
/** Least time that the node is down, in seconds; with more than some minutes run this test alone, by its name. */
const downSeconds = sizeFromEnvironment("CERTWIRE_NODE_DOWN_SECONDS", 2);
const kinds = ["certificate.issued", "certificate.revoked", "request.pending"] as const;
const inFlight = 500;
const deadLetterAfterSeconds = 1;
const retry = { retryInitialMs: 20, retryMaxMs: 100 };
/** After as many refusals at one event it has waited ten times `deadLetterAfterSeconds`, in the shortest pauses. */
const refusals = (10 * deadLetterAfterSeconds * 1000) / (retry.retryMaxMs / 2);

suite("a queue whose node is down", () => {
  let rabbitmq: RabbitmqCluster;
  /** What the sink counts while the node is down. A nack is never a reason to give an event up. */
  let failure: "unroutable" | "retry-identical";
  before(async () => {
    rabbitmq = await startRabbitmq({ nodes: 3, faults: true });
    const version = await rabbitmq.ctl(1, "eval", "rabbit_misc:version().");
    failure = /"3\./.test(version) ? "unroutable" : "retry-identical";
  });
  after(() => rabbitmq.stop());

  /** Does something over a channel to a node. */
  async function onNode<T>(node: number, act: (channel: Channel) => Promise<T>): Promise<T> {
    const connection = await connect(rabbitmq.urls[node - 1] ?? "");
    try {
      const channel = await connection.createChannel();
      // The answer that a queue is missing closes the channel, which is also an event of its own.
      channel.on("error", () => undefined);
      return await act(channel);
    } finally {
      await connection.close();
    }
  }

  /** Declares an exchange and a classic queue on a node that takes everything; the queue has its name by default. */
  function declare(exchange: string, node = home, queue = exchange, type = "classic") {
    return onNode(node, async (channel) => {
      await channel.assertExchange(exchange, "topic", { durable: true });
      await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": type } });
      await channel.bindQueue(queue, exchange, "#");
    });
  }

  /** Ends the node of the queues, and waits until another node has noticed. */
  async function takeDown(): Promise<void> {
    await rabbitmq.kill9(home);
    const isMissed = async (): Promise<boolean> => {
      const connected = await rabbitmq.ctl(1, "eval", "nodes().");
      return !connected.includes(`r${home}@`);
    };
    await until(isMissed, "the other nodes miss it", { everyMs: 100 });
  }

  async function readEvents(queue: string) {
    const bodies = await readRabbitmq(rabbitmq.urls[home - 1] ?? "", queue);
    return bodies.map((body) => JSON.parse(body));
  }

  test("kinds that were routed before wait without limit, and arrive once the node is back", async (t) => {
    const name = "routed";
    await declare(name);
    const flow = await startFlow(t, rabbitMqSink(rabbitmq.urls, name), {
      eventsPerSecond: 200,
      keys: 50,
      kinds,
      settings: { ...retry, maxInFlightEvents: inFlight, deadLetterAfterSeconds },
    });
    const { pipeline } = flow;
    const options = {
      state: () => pipeline.stats(),
      giveUp: () => assert.equal(pipeline.stats().deadLetters.unroutable, 0, "no dead letter"),
    };
    const failures = (): number => pipeline.stats().failures[failure];
    await flow.acknowledged(scaled(300, { least: 3 * kinds.length }));
    await takeDown();
    const wentDownAt = performance.now();
    const downFor = (): number => (performance.now() - wentDownAt) / 1000;
    const [earlier, enough] = [failures(), pipeline.stats().lanes * refusals];
    const isLong = () => failures() - earlier >= enough && downFor() >= downSeconds;
    await until(isLong, `${enough} events came back in ${downSeconds} s`, {
      ...options,
      withinMs: patienceMs + 1000 * downSeconds,
    });
    const isFull = () => pipeline.stats().inFlightEvents === inFlight;
    await until(isFull, "as many events as allowed wait", options);
    await until(() => pipeline.stats().state === "alarm", "that is an alarm", options);
    const [seconds, returned] = [downFor(), failures() - earlier];
    await rabbitmq.restart(home);
    await flow.moreAcknowledged(scaled(300));
    await flow.end();
    await assert.rejects(flow.deadLetters(), { code: "ENOENT" });
    assert.notEqual(pipeline.stats().state, "alarm");
    const arrived = await readEvents(name);
    assertDelivered(arrived, flow.sent());
    const figures = `${flow.sent().length} events, node down for ${seconds.toFixed(1)} s, ${returned} returned`;
    t.diagnostic(`${figures}, 0 missing, 0 dead letters, ${countDuplicates(arrived)} duplicates`);
  });

  /** A pipeline of two events of a kind that its process has never published; the second comes when asked for. */
  async function startUnknown(t: TestContext, name: string, graceSeconds: number) {
    const source = new MemorySource([sampleEvent(1)], { tail: true });
    const settings = { ...retry, deadLetterAfterSeconds: graceSeconds };
    const running = await testPipeline(t, source, rabbitMqSink(rabbitmq.urls, name), settings);
    const stop = new AbortController();
    t.after(() => stop.abort());
    return { ...running, source, stop, ended: running.pipeline.run(stop.signal) };
  }

  test("a kind that was never routed waits for its time, then it is given up if it was returned", async (t) => {
    const [short, long] = ["unknown-short", "unknown-long"];
    for (const name of [short, long]) await declare(name);
    await takeDown();
    const impatient = await startUnknown(t, short, deadLetterAfterSeconds);
    const patient = await startUnknown(t, long, 3600);
    const isBuried = failure === "unroutable";
    const { pipeline } = impatient;
    const isOver = (): boolean =>
      isBuried
        ? pipeline.stats().deadLetters.unroutable === 1
        : pipeline.stats().failures[failure] >= refusals;
    await until(isOver, "the time of the first is over", { state: () => pipeline.stats() });
    assert.equal(pipeline.stats().state, "alarm");
    const waits = () => patient.pipeline.stats().failures[failure] >= refusals;
    await until(waits, "the second came back often");
    assert.equal(patient.pipeline.stats().state, "alarm");
    await rabbitmq.restart(home);
    for (const { source } of [impatient, patient]) source.push(sampleEvent(2));
    for (const [running, count] of [
      [impatient, isBuried ? 1 : 2],
      [patient, 2],
    ] as const) {
      const isEmpty = () => running.pipeline.stats().acknowledgedEvents === count;
      await until(isEmpty, "what is left is published");
      running.stop.abort();
      await running.ended;
    }
    const buried = isBuried ? await impatient.deadLetters() : [];
    assert.deepEqual(
      buried.map(({ reason, event }) => [reason, event?.id]),
      isBuried ? [["unroutable", sampleOutbound(1).id]] : [],
    );
    const arrived = isBuried ? [sampleOutbound(2)] : [sampleOutbound(1), sampleOutbound(2)];
    assertDelivered(await readEvents(short), arrived);
    await assert.rejects(patient.deadLetters(), { code: "ENOENT" });
    assertDelivered(await readEvents(long), [sampleOutbound(1), sampleOutbound(2)]);
  });

  test("a service that starts while the node is down waits with kinds that were routed before, and gives up others if they were returned", async (t) => {
    const name = "restarted";
    await declare(name);
    const journal = journalDirectory(t);
    const exitModule = openSmall(journal);
    t.after(() => exitModule.close());
    const hosts = rabbitmq.urls.map((url) => new URL(url).host).join();
    const url = `amqp://guest@${hosts}/?exchange=${name}`;
    // One lane, so that the event that is given up is not stuck after the one that waits.
    const sink = { name: "rabbit", url, lanes: 1, ...retry, deadLetterAfterSeconds };
    const start = async () => {
      const service = await RunningService.start(t, journal, [sink]);
      return { service, stats: () => service.stats("rabbit") };
    };
    const issue = async (requestId: number, event = 1): Promise<void> => {
      exitModule.notify({ ...smallEvent(requestId), event });
      await flushed(exitModule);
    };
    await issue(1);
    const first = await start();
    await until(() => first.stats().acknowledgedEvents === 1, "the kind is routed");
    await first.service.stop();
    await takeDown();
    await issue(2, 2); // request.pending
    await issue(3);
    const second = await start();
    const options = { state: second.stats };
    const givenUp = failure === "unroutable" ? 1 : 0;
    const isGivenUp = () => second.stats().deadLetters.unroutable === givenUp;
    await until(isGivenUp, "a kind that was never routed is given up", options);
    const earlier = second.stats().failures[failure];
    const waits = () => second.stats().failures[failure] - earlier >= refusals;
    await until(waits, "what is left came back often", options);
    assert.equal(second.stats().state, "alarm");
    assert.equal(second.stats().deadLetters.unroutable, givenUp);
    await second.service.stop();

    const third = await start();
    const isReturned = () => third.stats().failures[failure] >= refusals;
    await until(isReturned, "it waits after one more restart", { state: third.stats });
    await rabbitmq.restart(home);
    const isPublished = () => third.stats().acknowledgedEvents === 2 - givenUp;
    await until(isPublished, "it is published");
    await third.service.stop();
    const arrived = await readEvents(name);
    const [kept, dead] = givenUp === 1 ? [[1, 3], [2]] : [[1, 2, 3], []];
    assert.deepEqual(
      arrived.map(({ subject }) => String(subject)).toSorted(),
      kept.map((request) => `request/${request}`),
    );
    const file = join(dirname(journal), "state", "dead-letters", "rabbit.ndjson");
    const letters = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
    assert.deepEqual(
      letters.map((line) => JSON.parse(line).event.subject),
      dead.map((request) => `request/${request}`),
    );
  });

  test("a quorum queue whose leader has just ended takes the first event of a channel", async (t) => {
    const name = "quorum";
    await declare(name, home, name, "quorum");
    const source = new MemorySource([], { tail: true });
    const sink = rabbitMqSink(rabbitmq.urls.slice(0, 1), name);
    const { pipeline } = await testPipeline(t, source, sink, { ...retry, deadLetterAfterSeconds });
    const stop = new AbortController();
    t.after(() => stop.abort());
    const ended = pipeline.run(stop.signal);
    await until(() => pipeline.stats().lanes > 0, "the sink is connected");
    // What a node knows of its quorum queues it writes to disk only every two seconds.
    await rabbitmq.ctl(home, "eval", "[dets:sync(Table) || Table <- dets:all()].");
    await takeDown();
    source.push(sampleEvent(1));
    const isStored = () => pipeline.stats().acknowledgedEvents === 1;
    await until(isStored, "the other nodes store it", { state: () => pipeline.stats() });
    stop.abort();
    await ended;
    assert.equal(pipeline.stats().deadLetters.unroutable, 0);
    await rabbitmq.restart(home);
    assertDelivered(await readEvents(name), [sampleOutbound(1)]);
  });

  test("an event that another queue takes misses the queue that is down only where nothing says so", async (t) => {
    const [name, other] = ["shared", "shared-other"];
    await declare(name);
    await declare(name, 1, other);
    await takeDown();
    const { pipeline, source, stop, ended } = await startUnknown(t, name, deadLetterAfterSeconds);
    // RabbitMQ 3 confirms it as soon as the other queue has it.
    const isMissed = failure === "unroutable";
    const isSettled = (): boolean =>
      isMissed
        ? pipeline.stats().acknowledgedEvents === 1
        : pipeline.stats().failures[failure] >= refusals;
    await until(isSettled, "the event is confirmed or refused", { state: () => pipeline.stats() });
    await rabbitmq.restart(home);
    source.push(sampleEvent(2));
    await until(() => pipeline.stats().acknowledgedEvents === 2, "both are confirmed");
    stop.abort();
    await ended;
    const both = [sampleOutbound(1), sampleOutbound(2)];
    assertDelivered(await readEvents(other), both);
    assertDelivered(await readEvents(name), isMissed ? [sampleOutbound(2)] : both);
  });
});
