import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { CertwireEvent } from "../../src/events/event.ts";
import type { KafkaCluster } from "../../test/integration/support/broker-provider.ts";
import { startKafka } from "../../test/integration/support/brokers.ts";
import { readKafka } from "../../test/integration/support/read-kafka.ts";
import {
  encodeRecord,
  eventContext,
  eventsOfFrame,
  frameOf,
} from "../../test/support/exit-records.ts";
import { kafkaSink } from "../../test/support/make-sink.ts";
import { publishEvents } from "../../test/support/publish-events.ts";
import { temporaryDirectory } from "../../test/support/run-cli.ts";
import { until } from "../../test/support/until.ts";
import type { Alarm } from "./detector.ts";
import type { SavedMemory } from "./memory.ts";
import { sampleSettings } from "./sample.ts";
import { type IssuedSpec, issuedRecord } from "./sample-records.ts";

const program = fileURLToPath(new URL("main.js", import.meta.url));
const alice: IssuedSpec = { requester: "CORP\\alice", upn: ["alice@corp.example"] };
/** Two alarms, the second of which needs the memory of the event between them. */
const specs: readonly IssuedSpec[] = [
  { ...alice, upn: ["administrator@corp.example"] },
  { ...alice, requestId: 8, decision: "denied" },
  { ...alice, requestId: 9 },
  { ...alice, requestId: 8 },
];
const context = eventContext();
const events: readonly CertwireEvent[] = specs.flatMap((spec, at) =>
  eventsOfFrame(
    frameOf(encodeRecord({ ...issuedRecord(spec) }), { sequence: BigInt(at + 1) }),
    context,
  ),
);
const expected = [`esc1/${events[0]?.id}`, `esc7/${events[3]?.id}`];

let kafka: KafkaCluster;

before(async () => {
  kafka = await startKafka();
});

after(() => kafka.stop());

test("alarms of events on Kafka are printed or go to a topic, and what was seen is kept", async (t) => {
  await kafka.createTopic("detected", { partitions: 1 });
  await kafka.createTopic("alarms", { partitions: 1 });
  await publishEvents(t, events, kafkaSink(kafka.bootstrapServers, "detected"));
  const directory = temporaryDirectory(t);
  const [settings, memory] = [join(directory, "settings.json"), join(directory, "memory.json")];
  writeFileSync(settings, JSON.stringify(sampleSettings));
  const source = ["--brokers", kafka.bootstrapServers.join(), "--topic", "detected"];
  const start = (...more: string[]) => {
    const args = [program, "detect", ...source, "--settings", settings, ...more];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => child.kill("SIGKILL"));
    const stop = async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      assert.deepEqual(await ended, [0, null]);
    };
    return { child, stop };
  };
  const giveUpFor = (child: { exitCode: number | null }) => () =>
    assert.equal(child.exitCode, null, "the program has ended");

  const printing = start("--memory", memory);
  const alarms: Alarm[] = [];
  createInterface({ input: printing.child.stdout }).on("line", (line) => {
    alarms.push(JSON.parse(line) as Alarm);
  });
  await until(() => alarms.length >= expected.length, "the alarms are printed", {
    giveUp: giveUpFor(printing.child),
  });
  await printing.stop();
  assert.deepEqual(alarms.map(({ id }) => id).toSorted(), expected.toSorted());
  const saved = JSON.parse(readFileSync(memory, "utf8")) as SavedMemory;
  assert.equal(saved.templates.length, 1);

  const sending = start("--group", "other", "--alarms", "alarms");
  const sent = async () => {
    const messages = await readKafka(kafka.bootstrapServers, "alarms");
    return messages.map(({ key }) => key ?? "");
  };
  await until(async () => (await sent()).length >= expected.length, "the alarms are sent", {
    giveUp: giveUpFor(sending.child),
    everyMs: 500,
  });
  await sending.stop();
  assert.deepEqual((await sent()).toSorted(), expected.toSorted());
});

test("enrich continues with the memory of the run before", async (t) => {
  const memory = join(temporaryDirectory(t), "memory.json");
  const enrich = async (lines: readonly CertwireEvent[]) => {
    const child = spawn(process.execPath, [program, "enrich", "--memory", memory], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    const ended = once(child, "exit");
    child.stdin.end(lines.map((event) => `${JSON.stringify(event)}\n`).join(""));
    const text = await child.stdout.toArray();
    assert.deepEqual(await ended, [0, null]);
    return JSON.parse(Buffer.concat(text as Buffer[]).toString("utf8")) as { facts: object };
  };
  await enrich(events.slice(1, 2));
  assert.deepEqual((await enrich(events.slice(3, 4))).facts, { earlierDecision: "denied" });
});

test("enrich adds the facts and leaves the rest as it is", async (t) => {
  const child = spawn(process.execPath, [program, "enrich"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  child.stdin.end(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  const enriched: Record<string, unknown>[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    enriched.push(JSON.parse(line) as Record<string, unknown>);
  }
  assert.deepEqual(
    enriched.map((event) => ({ ...event, facts: undefined })),
    events.map((event) => ({ ...(JSON.parse(JSON.stringify(event)) as object), facts: undefined })),
  );
  assert.deepEqual(enriched[0]?.["facts"], { foreignNames: ["upn"] });
});
