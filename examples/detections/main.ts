// Prints an alarm, one line of JSON, for each event that a rule matches:
//   node main.ts detect --brokers HOST:PORT[,...] --topic NAME [--alarms TOPIC]
//   node main.ts detect --queue NAME              with the server's URL in AMQP_URL
//   node main.ts enrich < events.ndjson           adds the facts to events, for the Sigma rules
// --settings FILE says what the rules must know of your site, --memory FILE keeps what they remember.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type AlarmTarget, kafkaAlarms, printedAlarms } from "./alarms.ts";
import {
  type CertwireEvent,
  Consumer,
  type EventSource,
  kafkaTopic,
  rabbitMqQueue,
} from "./certwire.ts";
import { Detector } from "./detector.ts";
import { Memory, type SavedMemory } from "./memory.ts";
import type { Settings } from "./rule.ts";
import { rules } from "./rules.ts";

/** Most that a kill makes the rules forget, in ms. */
const saveEveryMs = 10_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    brokers: { type: "string" },
    topic: { type: "string" },
    queue: { type: "string" },
    group: { type: "string", default: "certificate-detections" },
    alarms: { type: "string" },
    settings: { type: "string" },
    memory: { type: "string" },
  },
});

const detector = new Detector(
  rules,
  values.settings === undefined ? {} : (readJson(values.settings) as Settings),
  values.memory !== undefined && existsSync(values.memory)
    ? new Memory(readJson(values.memory) as SavedMemory)
    : new Memory(),
);
if (positionals[0] === "detect") await detect(sourceOf());
else if (positionals[0] === "enrich") await enrich();
else usage();

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

async function detect(source: EventSource): Promise<void> {
  for (const { rule, lacks } of detector.rulesOff) {
    console.error(`rule ${rule} is off: the settings have no ${lacks}`);
  }
  const target = await alarmTarget();
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  const saving = setInterval(trySaveMemory, saveEveryMs);
  const consumer = new Consumer({
    source,
    signal: stop.signal,
    logger: { ...console, debug: () => undefined, info: () => undefined, warn: console.error },
    handlers: {
      otherwise: async (event) => {
        const alarms = detector.detect(event);
        if (alarms.length > 0) await target.raise(alarms);
        detector.remember(event);
      },
    },
  });
  try {
    await consumer.run();
  } finally {
    clearInterval(saving);
    saveMemory();
    await target.close();
  }
}

async function alarmTarget(): Promise<AlarmTarget> {
  const { brokers, alarms } = values;
  if (alarms === undefined) return printedAlarms(process.stdout);
  if (brokers === undefined) return usage();
  return kafkaAlarms(brokers.split(","), alarms);
}

function saveMemory(): void {
  if (values.memory === undefined) return;
  writeFileSync(`${values.memory}.new`, JSON.stringify(detector.memory));
  renameSync(`${values.memory}.new`, values.memory);
}

/** A full disk or a file that another program holds must not end the detection: the next save may succeed. */
function trySaveMemory(): void {
  try {
    saveMemory();
  } catch (error) {
    console.error(`the memory could not be saved: ${(error as Error).message}`);
  }
}

async function enrich(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const event = JSON.parse(line) as CertwireEvent;
    process.stdout.write(`${JSON.stringify(detector.enrich(event))}\n`);
    detector.remember(event);
  }
  saveMemory();
}

function sourceOf(): EventSource {
  const { brokers, topic, queue, group } = values;
  if (queue !== undefined) {
    return rabbitMqQueue({ connection: process.env["AMQP_URL"] ?? "amqp://localhost", queue });
  }
  if (brokers === undefined || topic === undefined) return usage();
  const client = { clientId: group, brokers: brokers.split(",") };
  return kafkaTopic({ client, topic, groupId: group });
}

function usage(): never {
  console.error("usage: main.ts detect (--brokers HOST:PORT --topic NAME | --queue NAME) | enrich");
  process.exit(2);
}
