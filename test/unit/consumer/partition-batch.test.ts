import assert from "node:assert/strict";
import { test } from "node:test";
import type { EachBatchPayload, KafkaMessage } from "kafkajs";
import { Dispatcher } from "../../../src/consumer/dispatcher.ts";
import type { Handler } from "../../../src/consumer/handlers.ts";
import { PartitionBatch } from "../../../src/consumer/kafka/partition-batch.ts";
import { silentLogger } from "../../../src/consumer/logger.ts";
import { Session } from "../../../src/consumer/session.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { sampleEvent, sequenceOf } from "../../support/sample-events.ts";
import { settled, until } from "../../support/until.ts";

const retry = { limit: Number.POSITIVE_INFINITY, initialMs: 1, maxMs: 1 };

/** A batch with the given keys at offsets 100, 101, ..., and what it did with kafkajs. */
function makeBatch(keys: readonly string[], handler: Handler<CertwireEvent>) {
  const seen = { committed: [] as string[], resolved: [] as string[], heartbeats: 0 };
  const state = { heartbeatError: undefined as Error | undefined, isAssigned: true };
  const stopping = new AbortController();
  const messages = keys.map((key, n) => {
    const value = Buffer.from(JSON.stringify(sampleEvent(n, key)));
    return { key: Buffer.from(key), value, offset: String(100 + n), headers: {} };
  });
  const payload = {
    batch: {
      topic: "t",
      partition: 3,
      messages: messages as unknown as KafkaMessage[],
      // One more than the last message: a control record.
      lastOffset: () => String(100 + keys.length),
    },
    resolveOffset: (offset: string) => void seen.resolved.push(offset),
    heartbeat: async () => {
      seen.heartbeats += 1;
      if (state.heartbeatError) throw state.heartbeatError;
    },
    commitOffsetsIfNecessary: async (offsets: {
      topics: { partitions: { offset: string }[] }[];
    }) => {
      seen.committed.push(offsets.topics[0]?.partitions[0]?.offset ?? "");
    },
  } as unknown as EachBatchPayload;
  const dispatcher = new Dispatcher<undefined>({
    handlers: { otherwise: handler },
    concurrency: 4,
    retry,
    log: silentLogger,
    failed: (error) => assert.fail(error),
  });
  const host = {
    log: silentLogger,
    signal: stopping.signal,
    stopTimeoutMs: 3_600_000,
    openSession: () => new Session(),
    deliver: dispatcher.deliver.bind(dispatcher),
  };
  const isAssigned = () => state.isAssigned;
  const batch = new PartitionBatch(payload, { host, rebalanceWaitMs: 3_600_000, isAssigned });
  return { batch, seen, state, stopping };
}

/** A handler that finishes an event only when it is released. */
function gate() {
  const waiting = new Map<number, () => void>();
  const started: number[] = [];
  const handler: Handler<CertwireEvent> = async (event) => {
    const n = sequenceOf(event);
    started.push(n);
    await new Promise<void>((resolve) => {
      waiting.set(n, resolve);
    });
  };
  const release = async (n: number): Promise<void> => {
    await until(() => waiting.has(n), `event ${n} is being handled`);
    waiting.get(n)?.();
  };
  return { handler, release, started };
}

test("a batch that is handled is committed to its end, control records included", async () => {
  const { batch, seen } = makeBatch(["a", "b", "a"], () => undefined);
  await batch.run();
  assert.deepEqual(seen, { committed: ["104"], resolved: ["102"], heartbeats: 0 });
});

test("while a handler runs, heartbeats are sent and only what is handled without a hole is committed", async () => {
  const { handler, release } = gate();
  const { batch, seen } = makeBatch(["a", "b", "c", "d"], handler);
  const running = batch.run();
  await release(0);
  await release(2);
  await release(3);
  await until(() => seen.committed.length > 0, "the prefix is committed");
  const { heartbeats } = seen;
  await until(() => seen.heartbeats > heartbeats, "a heartbeat follows");
  assert.deepEqual(seen.committed, ["101"]);
  assert.deepEqual(seen.resolved, []);
  await release(1);
  await settled(running, "the batch ends");
  assert.deepEqual(seen.committed, ["101", "105"]);
});

test("a rebalance starts nothing more, waits for what runs, and commits that before kafkajs joins again", async () => {
  const { handler, release, started } = gate();
  const { batch, seen, state } = makeBatch(["a", "a", "b"], handler);
  const running = batch.run();
  await until(() => started.length === 2, "two handlers run");
  state.heartbeatError = new Error("rebalance");
  const { heartbeats } = seen;
  await until(() => seen.heartbeats > heartbeats, "the rebalance is noticed");
  await release(0);
  await release(2);
  await assert.rejects(settled(running, "the batch ends"), { message: "rebalance" });
  assert.deepEqual(new Set(started), new Set([0, 2]));
  assert.deepEqual(seen.committed, ["101"]);
  assert.deepEqual(seen.resolved, ["100"]);
});

test("a partition that another member has is neither committed nor resolved", async () => {
  const { batch, seen, state } = makeBatch(["a", "b"], () => undefined);
  state.isAssigned = false;
  await batch.run();
  assert.deepEqual(seen, { committed: [], resolved: [], heartbeats: 0 });
});

test("a stop lets running handlers finish and commits what is handled without a hole", async () => {
  const { handler, release, started } = gate();
  const { batch, seen, stopping } = makeBatch(["a", "b", "b", "c"], handler);
  const running = batch.run();
  await until(() => started.length === 3, "three handlers run");
  stopping.abort();
  await release(0);
  await release(1);
  await release(3);
  await settled(running, "the batch ends");
  assert.deepEqual(seen.committed, ["102"]);
  assert.deepEqual(new Set(started), new Set([0, 1, 3]));
});
