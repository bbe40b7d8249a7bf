// A process of its own, on a Node.js that has zstd: publishes sample events in batches that are compressed by zstd, then
// reads all events of the topic, and prints their ids as JSON. Its argument is a `CompressionRun` as JSON.
import { Consumer } from "../../src/consumer/consumer.ts";
import { kafkaTopic } from "../../src/consumer/kafka/topic-source.ts";
import { kafkaSink } from "./make-sink.ts";
import { sampleOutbound } from "./sample-events.ts";

/** What the process does. */
export interface CompressionRun {
  readonly servers: readonly string[];
  readonly topic: string;
  /** Number of events to publish. */
  readonly publish: number;
  /** Number of events that are in the topic then. */
  readonly read: number;
}

const { servers, topic, publish, read } = JSON.parse(process.argv[2] ?? "") as CompressionRun;
const signal = new AbortController().signal;
const sink = kafkaSink(servers, topic, { compression: "zstd" });
await sink.open();
const batch = Array.from({ length: publish }, (_, at) => sampleOutbound(at + 1, "ca/1"));
const { acknowledged, failure } = await sink.publish(0, batch, signal);
await sink.close();
if (acknowledged !== publish)
  throw new Error(`published ${acknowledged}`, { cause: failure?.cause });

const ids: string[] = [];
const consumer: Consumer = new Consumer({
  source: kafkaTopic({ client: { brokers: [...servers] }, topic, groupId: topic }),
  handlers: {
    otherwise: ({ id }) => {
      ids.push(id);
      if (ids.length === read) void consumer.stop();
    },
  },
});
await consumer.run();
process.stdout.write(JSON.stringify(ids));
