import assert from "node:assert/strict";
import { test } from "node:test";
import pino from "pino";
import { zstdProblem } from "../../../../src/kafka/zstd.ts";
import { createKafka } from "../../../../src/sinks/kafka/client.ts";
import { kafka } from "../../../../src/sinks/kafka/index.ts";
import { kafkaSinkOptions, resolveKafkaSink } from "../../../../src/sinks/kafka/options.ts";

const entry = kafkaSinkOptions.parse({ name: "k", url: "kafka://a/t", compression: "zstd" });
const context = { baseDirectory: "/", secret: () => "" };
const options = resolveKafkaSink(entry, context);
const log = pino({ level: "silent" });

// One of the two is what this Node.js can do; the other lines of Node.js run the same file.
if (zstdProblem() === undefined) {
  test("a Node.js with zstd takes it", () => {
    assert.deepEqual(kafka.configure(entry, context).inspect(0), []);
    createKafka(options, log);
  });
} else {
  test("a Node.js without zstd refuses it, in the check and at the start", () => {
    const [finding] = kafka.configure(entry, context).inspect(0);
    assert.deepEqual(finding?.path, ["compression"]);
    assert.equal(finding.isWarning, false);
    assert.match(finding.message, /22\.15/);
    assert.match(finding.hint, /gzip/);
    assert.throws(() => createKafka(options, log), {
      code: "CERTWIRE_SINK_CONFIG",
      hint: finding.hint,
    });
  });
}
