// A process of its own that consumes events and kills itself with SIGKILL in the middle of its work. Its argument is a
// `ConsumerRun` as JSON; without a `kill` it runs until SIGTERM.
import { openSync, writeSync } from "node:fs";
import pg from "pg";
import { Consumer } from "../../src/consumer/consumer.ts";
import { PostgresDeduplication } from "../../src/consumer/deduplication/postgres.ts";
import type { EventSource } from "../../src/consumer/event-source.ts";
import { kafkaTopic } from "../../src/consumer/kafka/topic-source.ts";
import { FileOffsets } from "../../src/consumer/rabbitmq/offset-store.ts";
import { rabbitMqQueue } from "../../src/consumer/rabbitmq/queue-source.ts";
import { rabbitMqStream } from "../../src/consumer/rabbitmq/stream-source.ts";
import { turns } from "./until.ts";

/** Where a consumer process reads. */
export type ConsumedPlace =
  | { readonly kind: "kafka"; readonly brokers: readonly string[]; readonly topic: string }
  | { readonly kind: "queue"; readonly url: string; readonly queue: string }
  | {
      readonly kind: "stream";
      readonly url: string;
      readonly stream: string;
      readonly file: string;
    };

/** What a consumer process does. */
export interface ConsumerRun {
  readonly place: ConsumedPlace;
  /** File to which the handler appends `<id> <key>` for each event. */
  readonly effects: string;
  /** Handlers at a time. */
  readonly concurrency: number;
  /** Server with the tables for deduplication and effects. Default none. */
  readonly postgres?: pg.PoolConfig;
  /** Kills itself this many turns of the event loop after the beginning of that many handlers. */
  readonly kill?: { readonly handlers: number; readonly turns: number };
}

const { place, effects, concurrency, postgres, kill } = JSON.parse(
  process.argv[2] ?? "",
) as ConsumerRun;
const file = openSync(effects, "a");
let begun = 0;

function sourceOf(): EventSource {
  if (place.kind === "queue") return rabbitMqQueue({ connection: place.url, queue: place.queue });
  if (place.kind === "stream") {
    const offsets = new FileOffsets(place.file);
    return rabbitMqStream({ connection: place.url, stream: place.stream, offsets });
  }
  // The shortest that the broker allows: until then it keeps the partitions for the killed member.
  const consumer = { sessionTimeout: 6000, heartbeatInterval: 500, maxWaitTimeInMs: 200 };
  const client = { brokers: [...place.brokers] };
  return kafkaTopic({ client, topic: place.topic, groupId: "killed", consumer });
}

async function maybeDie(): Promise<void> {
  begun += 1;
  if (begun !== kill?.handlers) return;
  await turns(kill.turns);
  process.kill(process.pid, "SIGKILL");
}

const pool = postgres && new pg.Pool({ ...postgres, max: concurrency });
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const common = { source: sourceOf(), concurrency, signal: stop.signal };
const consumer =
  pool === undefined
    ? new Consumer({
        ...common,
        handlers: {
          otherwise: async ({ id, partitionkey }) => {
            void maybeDie();
            // Otherwise a single turn would handle all there is, and leave nothing for the next kill.
            await turns(1);
            writeSync(file, `${id} ${partitionkey}\n`);
          },
        },
      })
    : new Consumer({
        ...common,
        deduplication: new PostgresDeduplication<pg.PoolClient>({ pool, consumer: "killed" }),
        handlers: {
          otherwise: async ({ id, partitionkey }, { transaction }) => {
            void maybeDie();
            const text = "INSERT INTO effect (id, partitionkey) VALUES ($1, $2)";
            await transaction.query(text, [id, partitionkey]);
            writeSync(file, `${id} ${partitionkey}\n`);
          },
        },
      });
await consumer.run();
await pool?.end();
