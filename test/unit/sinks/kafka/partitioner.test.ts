import assert from "node:assert/strict";
import { test } from "node:test";
import { Partitioners } from "kafkajs";
import { murmur2, partitionOf } from "../../../../src/sinks/kafka/partitioner.ts";

test("murmur2 gives what the tests of Kafka's Java client expect", () => {
  const cases: [string, number][] = [
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
  ];
  for (const [text, hash] of cases) assert.equal(murmur2(Buffer.from(text)), hash, text);
});

test("a key has the partition that other clients give it", () => {
  const partitioner = Partitioners.DefaultPartitioner();
  for (let n = 0; n < 500; n += 1) {
    const key = `ca-é-${n}`.padEnd(n % 40, "x");
    const partitions = 1 + (n % 12);
    const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
      partitionId,
      partitionErrorCode: 0,
      leader: 1,
      replicas: [1],
      isr: [1],
    }));
    const theirs = partitioner({ topic: "t", partitionMetadata, message: { key, value: null } });
    assert.equal(partitionOf(key, partitions), theirs, key);
  }
});
