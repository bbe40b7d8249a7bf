import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CaIdentity } from "../../../src/events/ca-identity.ts";
import { CaMemory } from "../../../src/events/ca-memory.ts";
import type { EventOptions } from "../../../src/events/envelope.ts";
import { type CertwireEvent, eventKinds } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { frameTypes } from "../../../src/journal/frame.ts";
import { loadNative, type SimulatedEvent } from "../../../src/native/addon.ts";
import { eventsOfJournal } from "../../../src/sources/journal-events.ts";
import { collected, collectedCaDetails } from "../../../src/testing/ca/collected-record.ts";
import type { RequestReference } from "../../../src/testing/ca/request-book.ts";
import { type TestCa, testCa } from "../../../src/testing/ca/test-ca.ts";
import { assertValid, encodeCbor, eventsOfFrame, frameOf } from "../../support/exit-records.ts";
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
  const old = ca.issue();
  ca.stop();
  renew(ca, old);
  ca.notify(old, { event: 0x4000_0000 });
  ca.notify();
  loseRecords(ca);
  ca.resolveFinding(ca.reportFinding(old));
  ca.stop();
}

/** Renews the CA with its key and with others, and revokes what the older keys signed. */
function renew(ca: TestCa, old: RequestReference): void {
  ca.renew();
  const middle = ca.issue();
  ca.hold(old);
  ca.publishCrl();
  ca.renew({ key: "p-384" });
  ca.revoke(middle);
  ca.publishCrl({ kind: "delta" });
  ca.renew({ key: "ml-dsa-44" });
  ca.renew();
  ca.release(old);
  ca.revoke(ca.issue(), { reason: "keyCompromise" });
  ca.publishCrl();
}

/** A requester of this name has its record damaged in the journal. */
const damaged = "CORP\\damaged";

function loseRecords(ca: TestCa): void {
  // One: whether two of them are one gap depends on when the writer's thread writes its mark between them.
  ca.loseRecords(() => ca.issue({ requester: damaged }), { reason: "corrupt" });
  ca.issue();
}

/** Breaks the record of the requester `damaged`. */
function damageRecords(directory: string): void {
  let broken = 0;
  for (const name of readdirSync(directory).filter((each) => each.endsWith(".cej"))) {
    const path = join(directory, name);
    const bytes = readFileSync(path);
    for (let at = bytes.indexOf(damaged); at >= 0; at = bytes.indexOf(damaged, at + 1)) {
      bytes.writeUInt8(0, at);
      broken += 1;
    }
    writeFileSync(path, bytes);
  }
  assert.ok(broken > 0, "no text is broken");
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
    damageRecords(directory);
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

/**
 * An event without what differs between two runs of the same facts: the journal's random id, times, process, and the
 * chain values that follow from these.
 */
function comparable(event: CertwireEvent) {
  const id = event.id.replace(/^[0-9a-f]{32}-/, "EPOCH-");
  const hashes = { previoushash: undefined, recordhash: undefined };
  assert.equal("recordhash" in event, "previoushash" in event);
  const own = { ...event, id, replayed: undefined, ...("recordhash" in event && hashes) };
  for (const name of ["time", "recordedtime"] as const) {
    assert.match(own[name], /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/);
  }
  const times = { time: "", recordedtime: "" };
  if (kindOf(event) === "journal.gap") return { ...own, ...times, data: withoutTimes(own.data) };
  const { processId, threadId, ...called } = own.data["notify"] as Record<string, unknown>;
  assert.ok(processId === undefined || Number.isInteger(processId));
  assert.ok(Number.isInteger(threadId));
  return { ...own, ...times, data: { ...own.data, notify: called } };
}

/** The data of a gap without the times that it has. */
function withoutTimes(data: CertwireEvent["data"]): CertwireEvent["data"] {
  const isTime = (name: string) => /^(?:first|last)Time$/.test(name);
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, isTime(name) ? "" : value]),
  );
}

for (const events of [{}, { detail: "full", includeRawRequest: true }] as const) {
  test(`the events of the kit are those of exit module, journal and service: ${JSON.stringify(events)}`, async () => {
    const served: SimulatedEvent[] = [];
    const ca = testCa({ seed: "same", events, notified: (event) => served.push(event) });
    work(ca);
    const product = await eventsOfProduct(served, ca.name, events);
    // Findings are not of the journal.
    const made = ca.events.filter((event) => kindOf(event) !== "reconcile.finding").map(comparable);
    assert.deepEqual(made, product.map(comparable));
    // The order of members too, which is that of the record.
    assert.equal(JSON.stringify(made), JSON.stringify(product.map(comparable)));
    assert.deepEqual(new Set(ca.events.map(kindOf)), new Set(eventKinds), "every kind");
    for (const event of ca.events) assertValid(event);
  });
}

test("a loss of what was never written is the event that the service makes of the writer's gap", () => {
  const served: SimulatedEvent[] = [];
  const ca = testCa({ notified: (event) => served.push(event) });
  const issued = ca.issue();
  const gap = ca.loseRecords(
    () => {
      ca.revoke(issued);
      ca.publishCrl();
      ca.issue();
    },
    { reason: "memory" },
  );
  const next = ca.issue();
  const lost = served.slice(2, -1);
  const { firstTime = "", lastTime = "" } = gap.data;
  const payload = encodeCbor({
    reason: "memory",
    count: lost.length,
    firstTime: filetimeOf(firstTime),
    lastTime: filetimeOf(lastTime),
    requestIds: lost.map(({ context }) => context).filter((id) => id !== 0),
  });
  const [epochId = ""] = gap.id.split("-");
  const frame = frameOf(payload, {
    type: frameTypes.gap,
    epochNumber: 1,
    epochId,
    sequence: 4n,
    time: filetimeOf(gap.time),
    // The kit's records have no bytes, so its chain is one of its own.
    hashes: { previous: gap.previoushash ?? "", record: gap.recordhash ?? "" },
  });
  const identity = new CaIdentity(undefined, issued.data.ca.id);
  assert.deepEqual([gap], eventsOfFrame(frame, { options: {}, identity }));
  assert.ok(issued.time < firstTime && firstTime < lastTime && lastTime <= gap.time);
  assert.deepEqual(gap.data.requestIds, [1, 2]);
  assert.match(next.sequence ?? "", /-0*5$/);
  assertValid(gap);
});

/** 100 ns since 1601-01-01 UTC. */
function filetimeOf(time: string): bigint {
  const [seconds = "", fraction = ""] = time.replace("Z", "").split(".");
  const units = BigInt(fraction.padEnd(7, "0"));
  return BigInt(Date.parse(`${seconds}Z`) + 11_644_473_600_000) * 10_000n + units;
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
