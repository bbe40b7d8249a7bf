import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CaMemory } from "../../../src/events/ca-memory.ts";
import type { EventOptions } from "../../../src/events/envelope.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { loadNative, type SimulatedEvent } from "../../../src/native/addon.ts";
import { eventsOfJournal } from "../../../src/sources/journal-events.ts";
import { collected, collectedCaDetails } from "../../../src/testing/ca/collected-record.ts";
import { TestCa, testCa } from "../../../src/testing/ca/test-ca.ts";
import { assertValid } from "../../support/exit-records.ts";
import { neverStopped } from "../../support/run-pipeline.ts";

/** Lets a CA do everything that it can. */
function work(ca: TestCa): void {
  const issued = ca.issue({
    template: "CorpWebServer",
    sans: ["www.example.com", { ip: "10.0.0.1" }],
  });
  ca.issue({ template: "User", requester: "CORP\\josé", key: "rsa-2048" });
  ca.issue({ template: "Invented", key: "ml-dsa-44", sid: "S-1-5-21-1-2-3-500", sans: [] });
  ca.issue({ key: "p-384", attributes: { Challenge: "0123ABCD", SAN: "upn=admin@corp.example" } });
  const pending = ca.pend({ template: "CorpCodeSigning", requester: "CORP\\bob" });
  ca.retrieve(ca.approve(pending));
  ca.deny(ca.pend(), { by: "CORP\\carol" });
  ca.deny({ template: "Machine", requester: "CORP\\PC\ud800$" });
  ca.fail();
  ca.fail({}, { statusCode: 0x8009310b, message: "Error Parsing Request" });
  ca.release(ca.hold(issued));
  ca.revoke(issued, { reason: "superseded" });
  ca.import({ subject: 'CN="Old, but good", O=Example' });
  ca.publishCrl();
  ca.publishCrl({ kind: "delta" });
  ca.stop();
  ca.issue();
  ca.stop();
}

/** The events that exit module, journal and service make of what the CA served. */
async function eventsOfProduct(
  served: readonly SimulatedEvent[],
  caName: string,
  events: EventOptions,
): Promise<CertwireEvent[]> {
  const directory = mkdtempSync(join(tmpdir(), "certwire-same-events-"));
  try {
    for (const epoch of epochsOf(served)) {
      const simulator = new (loadNative().ExitSimulator)({ directory, caName });
      for (const event of epoch) simulator.notify(event);
      assert.ok(simulator.shutdown());
      simulator.close();
    }
    const undecodable = (error: Error): never => assert.fail(error);
    const options = { events, caMemory: new CaMemory(), undecodable };
    const made: CertwireEvent[] = [];
    for await (const event of eventsOfJournal(directory, options, neverStopped)) made.push(event);
    return made;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const shutdown = 0x40;

function epochsOf(served: readonly SimulatedEvent[]): SimulatedEvent[][] {
  const epochs: SimulatedEvent[][] = [[]];
  for (const event of served) {
    epochs.at(-1)?.push(event);
    if (event.event === shutdown) epochs.push([]);
  }
  return epochs.slice(0, -1);
}

/** An event without what differs between two runs of the same facts: the journal's random id, times, and process. */
function comparable(event: CertwireEvent) {
  const id = event.id.replace(/^[0-9a-f]{32}-/, "EPOCH-");
  const own = { ...event, id, replayed: undefined };
  for (const name of ["time", "recordedtime"] as const) {
    assert.match(own[name], /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/);
  }
  const { processId, threadId, ...notify } = own.data["notify"] as Record<string, unknown>;
  assert.ok(Number.isInteger(processId) && Number.isInteger(threadId));
  return { ...own, time: "", recordedtime: "", data: { ...own.data, notify } };
}

for (const events of [{}, { detail: "full", includeRawRequest: true }] as const) {
  test(`the events of the kit are those of exit module, journal and service: ${JSON.stringify(events)}`, async () => {
    const served: SimulatedEvent[] = [];
    const ca = testCa({ seed: "same", events, notified: (event) => served.push(event) });
    work(ca);
    const product = await eventsOfProduct(served, ca.name, events);
    assert.deepEqual(ca.events.map(comparable), product.map(comparable));
    // The order of members too, which is that of the record.
    assert.equal(
      JSON.stringify(ca.events.map(comparable)),
      JSON.stringify(product.map(comparable)),
    );
    assert.equal(ca.events.length, 24);
    for (const event of ca.events) assertValid(event);
  });
}

test("the kit reads the properties that the exit module reads", () => {
  const table = readFileSync("addon/collect/property_table.cc", "utf8");
  const rows = [...table.matchAll(/(\w+)\(u"(\w+)", k\w+(?:, (k\w+))?|(RequestName)\(u"(\w+)"\)/g)];
  const of = (groups: readonly string[], topics?: RegExp) =>
    rows
      .map(([, group, name, topic, short, shortName]) => ({
        group: group ?? short,
        name: name ?? shortName,
        topic,
      }))
      .filter(
        ({ group, topic }) =>
          groups.includes(group ?? "") && (topics === undefined || topics.test(topic ?? "")),
      )
      .map(({ name = "" }) => name)
      .toSorted(compareTexts);
  assert.ok(rows.length > 100, `${rows.length} rows`);
  const sorted = (names: readonly string[]) => names.toSorted(compareTexts);
  assert.deepEqual(sorted(collected.request), of(["Request", "SecretRequest", "RequestName"]));
  assert.deepEqual(sorted(collected.certificate), of(["Certificate"]));
  assert.deepEqual(sorted(collected.ca), of(["Ca"], /^kAnything$/));
  assert.deepEqual(sorted(collected.caOfRequest), of(["Ca"], /^kAboutRequest$/));
  assert.deepEqual(sorted(collected.caCertificate), of(["PerCaCertificate"]));
  assert.deepEqual(sorted(collectedCaDetails), of(["Ca"], /^kCaDetails$/));
});

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
