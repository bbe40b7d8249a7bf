// Forwards events to OpenSearch, Elasticsearch or Splunk:
//   node main.ts forward settings.json
//   node main.ts resend settings.json FILE     sends what was refused once more
import { createReadStream, statSync } from "node:fs";
import { createInterface } from "node:readline";
import {
  type CertwireEvent,
  Consumer,
  type EventSource,
  type KafkaTopicOptions,
  kafkaTopic,
  rabbitMqQueue,
  readEvent,
} from "./certwire.ts";
import { Forwarder } from "./forwarder.ts";
import { log } from "./log.ts";
import { openSearch } from "./opensearch.ts";
import { RefusedFile } from "./refused.ts";
import { readSecret, readSettings, type Settings } from "./settings.ts";
import type { Siem } from "./siem.ts";
import { splunk } from "./splunk.ts";

/** Time between two lines about the progress, in ms. */
const progressEveryMs = 60_000;

const [command, settingsPath, file] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());
try {
  if (command === "forward" && settingsPath !== undefined && file === undefined) {
    await forward(readSettings(settingsPath));
  } else if (command === "resend" && settingsPath !== undefined && file !== undefined) {
    await resend(readSettings(settingsPath), file);
  } else {
    console.error("usage: main.ts forward SETTINGS | main.ts resend SETTINGS FILE");
    process.exitCode = 2;
  }
} catch (error) {
  log.error({ alarm: true, error: (error as Error).message }, "the forwarder has ended");
  process.exitCode = 1;
}

async function forward(settings: Settings): Promise<void> {
  const refused = new RefusedFile(settings.refused);
  // After a stop the consumer waits for its handlers, so they still wait for the SIEM.
  const ended = new AbortController();
  const forwarder = forwarderOf(settings, refused, ended.signal);
  // While a request is under way, the events of the next one are collected.
  const concurrency = 2 * settings.batch.events;
  const consumer = new Consumer({
    source: sourceOf(settings, concurrency),
    concurrency,
    signal: stop.signal,
    logger: log,
    handlers: { otherwise: (event, { signal }) => forwarder.forward(event, signal) },
    onDeadLetter: async (letter) => {
      await refused.keepMessage(letter);
      const { place } = letter.message;
      const reason = letter.error.message;
      log.error({ alarm: true, place, reason, path: refused.path }, "a message is not an event");
    },
  });
  const progress = setInterval(() => log.info(forwarder.counts, "progress"), progressEveryMs);
  try {
    await consumer.run();
  } finally {
    clearInterval(progress);
    ended.abort();
    log.info(forwarder.counts, "stopped");
  }
}

/** What is refused again goes into the file of the settings. */
async function resend(settings: Settings, path: string): Promise<void> {
  if (isSameFile(path, settings.refused)) {
    throw new Error(`move ${path} away first: what is refused again is written to it`);
  }
  const forwarder = forwarderOf(settings, new RefusedFile(settings.refused), stop.signal);
  const sendAll = (events: readonly CertwireEvent[]) =>
    Promise.all(events.map((event) => forwarder.forward(event, stop.signal)));
  let events: CertwireEvent[] = [];
  let others = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const event = eventIn(line);
    if (event === undefined) others += 1;
    else events.push(event);
    if (events.length < settings.batch.events) continue;
    await sendAll(events);
    events = [];
  }
  await sendAll(events);
  log.info({ ...forwarder.counts, others }, "resent");
  if (others > 0) throw new Error(`${path} has ${others} lines without an event of Certwire`);
}

/** True if both paths lead to one file, whatever they are called: by links, from another directory. */
function isSameFile(path: string, other: string): boolean {
  const options = { bigint: true, throwIfNoEntry: false } as const;
  const [one, two] = [statSync(path, options), statSync(other, options)];
  return one !== undefined && one.dev === two?.dev && one.ino === two.ino;
}

/** The event in a line of the file; `undefined` if there is none. */
function eventIn(line: string): CertwireEvent | undefined {
  try {
    const { event } = JSON.parse(line) as { event?: unknown };
    return readEvent({ headers: {}, body: Buffer.from(JSON.stringify(event)) });
  } catch {
    return undefined;
  }
}

/** `ended`: aborted when nobody waits for the SIEM any more. */
function forwarderOf(settings: Settings, refused: RefusedFile, ended: AbortSignal): Forwarder {
  const { batch } = settings;
  return new Forwarder({ siem: siemOf(settings, ended), refused, batch, log, stop: stop.signal });
}

function siemOf({ opensearch, splunk: collector }: Settings, ended: AbortSignal): Siem {
  const { url = "" } = opensearch ?? collector ?? {};
  const { protocol, hostname, origin } = new URL(url);
  if (protocol === "http:" && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)) {
    log.warn({ url: origin }, "events and credentials go over the network unencrypted: use https");
  }
  if (opensearch !== undefined) return openSearch(opensearch);
  if (collector !== undefined) return splunk(collector, { signal: ended });
  throw new Error("the settings name no SIEM");
}

function sourceOf({ kafka, rabbitmq }: Settings, prefetch: number): EventSource {
  if (rabbitmq !== undefined) {
    const { url, queue } = rabbitmq;
    return rabbitMqQueue({ connection: readSecret(url), queue, prefetch });
  }
  if (kafka === undefined) throw new Error("the settings name no broker");
  const { brokers, topic, group, tls, sasl } = kafka;
  const client = {
    clientId: group,
    brokers,
    ssl: tls,
    ...(sasl !== undefined && { sasl: { ...sasl, password: readSecret(sasl.password) } }),
  } as KafkaTopicOptions["client"];
  // How long Kafka keeps the partitions for a member that was killed.
  const consumer = { sessionTimeout: 6_000, heartbeatInterval: 1_000 };
  return kafkaTopic({ client, topic, groupId: group, consumer });
}
