import assert from "node:assert/strict";
import { test } from "node:test";
import { registerZstd, zstdProblem } from "../../../src/kafka/zstd.ts";

type Done = (error: Error | null, result: Buffer) => void;

const functions = {
  zstdCompress: (bytes: Buffer, done: Done) => done(null, Buffer.concat([Buffer.from("z"), bytes])),
  zstdDecompress: (bytes: Buffer, done: Done) => done(null, bytes.subarray(1)),
};

function codecsOfKafkajs(): Record<number, () => unknown> {
  return {
    4: () => {
      throw new Error("ZSTD compression not implemented");
    },
  };
}

test("kafkajs gets zstd where Node.js has it", async () => {
  assert.equal(zstdProblem(functions), undefined);
  const codecs = codecsOfKafkajs();
  registerZstd(codecs, functions);
  const codec = codecs[4]?.() as {
    compress(encoder: object): Promise<Buffer>;
    decompress(bytes: Buffer): Promise<Buffer>;
  };
  const compressed = await codec.compress({ buffer: Buffer.from("event") });
  assert.equal(compressed.toString(), "zevent");
  assert.equal((await codec.decompress(compressed)).toString(), "event");
});

test("without it kafkajs stays as it is, and the problem names the versions", () => {
  assert.match(zstdProblem({}) ?? "", /22\.15 or later.* \d+\.\d+\.\d+$/);
  const codecs = codecsOfKafkajs();
  registerZstd(codecs, {});
  assert.throws(() => codecs[4]?.(), /not implemented/);
});

test("a codec that somebody else has registered is kept", () => {
  const own = {};
  const codecs = { 4: () => own };
  registerZstd(codecs, functions);
  assert.equal(codecs[4](), own);
});
