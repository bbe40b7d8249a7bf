import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { CaMemory, type FramePlace, type SeenCa } from "../../../src/events/ca-memory.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { Redactor } from "../../../src/events/redaction/redactor.ts";
import { checkChain } from "../../../src/evidence/check-chain.ts";
import { EventLog } from "../../../src/evidence/event-log.ts";
import { Findings } from "../../../src/evidence/finding.ts";
import { chainStart } from "../../../src/journal/chain.ts";
import { compareEvents, issuedIn, sequenceOf, without } from "../../support/compare-events.ts";
import { publishedEvents, recordOn, simulatedJournal } from "../../support/evidence-journal.ts";
import { flushed, journalDirectory, openSmall, smallEvent } from "../../support/small-journal.ts";

/** What the events alone show, without the journal. */
function chainOf(events: readonly CertwireEvent[]): string[] {
  const [findings, log] = [new Findings(), new EventLog()];
  for (const [at, event] of events.entries()) {
    log.add(event, JSON.stringify(event.data), { name: "events:", at });
  }
  checkChain(log, findings);
  return findings.list().map(({ kind, epochNumber, sequence }) => {
    return `${kind} ${epochNumber}/${sequence}`;
  });
}

function withIndex(event: CertwireEvent, index: number): CertwireEvent {
  const certificate = { ...(event.data["certificate"] as object), subject: "CN=evil" };
  const data = { ...event.data, certificate };
  return { ...event, id: event.id.replace(/-\d+$/, `-${index}`), data };
}

for (const index of [7, 65_534, 65_535]) {
  test(`an issue that somebody made up with index ${index} is found, by the events alone too`, async (t) => {
    const directory = simulatedJournal(t, { epochs: 1 });
    const events = await publishedEvents(directory);
    const real = issuedIn(events, 1);
    const forged = withIndex(real, index);
    const { found } = await compareEvents(directory, [...events, forged]);
    assert.deepEqual(found, [`content 1/${sequenceOf(real)}`]);
    assert.deepEqual(chainOf([...events, forged]), [`index 1/${sequenceOf(real)}`]);
  });
}

/** Remembers another CA before one record of the first epoch. */
class ForgedMemory extends CaMemory {
  sequence = 0n;

  override seenBefore(frame: FramePlace): SeenCa | undefined {
    if (frame.sequence !== this.sequence) return super.seenBefore(frame);
    return { id: "b".repeat(64), certificate: "a".repeat(64) };
  }
}

test("a change of the CA that somebody made up is found within an epoch", async (t) => {
  const directory = simulatedJournal(t, { epochs: 1 });
  const events = await publishedEvents(directory);
  const victim = issuedIn(events, 1);
  const sequence = sequenceOf(victim);
  const memory = new ForgedMemory();
  memory.sequence = BigInt(sequence);
  const others = await publishedEvents(directory, {}, memory);
  const forged = others.find(({ id }) => id.endsWith(`-${sequence}-65534`));
  assert.equal(forged?.type, "io.certwire.ca.changed.v1");
  const { found, details } = await compareEvents(directory, [...events, forged]);
  assert.deepEqual(found, [`content 1/${sequence}`]);
  assert.match(details[0] ?? "", /^the record before it has the same certificate of the CA$/);
});

/** A journal of a CA that is another one from its second start on. */
async function changedCa(t: TestContext) {
  const directory = simulatedJournal(t, { epochs: 1 });
  recordOn(directory, { seed: "other" });
  const events = await publishedEvents(directory);
  const changed = events.find(({ type }) => type.includes("ca.changed"));
  assert.ok(changed);
  return { directory, events, changed };
}

test("a changed CA is compared but for what only the service remembered", async (t) => {
  const { directory, events, changed } = await changedCa(t);
  const sound = await compareEvents(directory, events);
  assert.deepEqual([sound.found, sound.counts.same], [[], events.length]);
  assert.deepEqual(chainOf(events), []);
  const previous = changed.data["previous"] as Record<string, unknown>;
  const ca = changed.data["ca"] as Record<string, unknown>;
  const own = ca["certificateSha256"];
  const alterations: Partial<CertwireEvent>[] = [
    { data: { ...changed.data, ca: { ...ca, name: "Evil CA" } } },
    { data: { ...changed.data, previous: { ...previous, note: "added" } } },
    { data: { ...changed.data, previous: { ...previous, id: "\u001b[31m" } } },
    { data: { ...changed.data, previous: null } },
    { data: { ...changed.data, note: own } },
    { time: "2020-01-01T00:00:00.000Z" },
    { partitionkey: "other" },
  ];
  for (const alteration of alterations) {
    const altered = events.map((each) => (each === changed ? { ...each, ...alteration } : each));
    const { found } = await compareEvents(directory, altered);
    assert.deepEqual(found, [`content 2/${sequenceOf(changed)}`], JSON.stringify(alteration));
  }
  const remembered = { ...previous, certificateSha256: "a".repeat(64) };
  const other = { ...changed, data: { ...changed.data, previous: remembered } };
  const { found } = await compareEvents(
    directory,
    events.map((each) => (each === changed ? other : each)),
  );
  assert.deepEqual(found, []);
});

test("an epoch after the newest one, and a record after the end, are of no journal", async (t) => {
  const directory = simulatedJournal(t, { epochs: 1 });
  const events = await publishedEvents(directory);
  const real = issuedIn(events, 1);
  const epoch = "ab".repeat(16);
  const ofEpoch = {
    ...real,
    id: `${epoch}-2-0`,
    sequence: `0000000002-${"2".padStart(20, "0")}`,
    recordedtime: "2099-01-01T00:00:00.000Z",
    previoushash: chainStart(epoch, 2),
    recordhash: "c".repeat(64),
  };
  const last = events.at(-1);
  assert.ok(last);
  const end = sequenceOf(last) + 1;
  const afterEnd = {
    ...last,
    id: last.id.replace(/-\d+-0$/, `-${end}-0`),
    sequence: `0000000001-${String(end).padStart(20, "0")}`,
    previoushash: last.recordhash ?? "",
    recordhash: "d".repeat(64),
  };
  for (const [forged, place] of [
    [ofEpoch, "2/2"],
    [afterEnd, `1/${end}`],
  ] as const) {
    assert.deepEqual(chainOf([...events, forged]), [], "the chain alone does not show it");
    const { found, counts } = await compareEvents(directory, [...events, forged]);
    assert.deepEqual([found, counts.gone, counts.newer], [[`unknown ${place}`], 0, 0]);
    const copy = await compareEvents(directory, [...events, forged], { isCopy: true });
    assert.deepEqual([copy.found, copy.counts.gone, copy.counts.newer], [[], 0, 1]);
  }
});

test("what is recorded while the events are read is compared, and what has no event yet is not missed", async (t) => {
  const directory = simulatedJournal(t, { epochs: 1 });
  const before = await publishedEvents(directory);
  let later: CertwireEvent[] = [];
  const opened = async () => {
    recordOn(directory, {});
    later = (await publishedEvents(directory)).slice(before.length);
    // Each third one has arrived.
    return later.filter((_, at) => at % 3 === 0);
  };
  const { found, counts } = await compareEvents(directory, before, { opened });
  assert.ok(later.length > 20);
  assert.deepEqual(found, []);
  assert.equal(counts.same, before.length + Math.ceil(later.length / 3));
  assert.deepEqual([counts.gone, counts.newer], [0, 0]);
  const victim = issuedIn(before, 1);
  const late = await compareEvents(directory, without(victim, [...before, ...later]));
  assert.deepEqual(late.found, [`missing 1/${sequenceOf(victim)}`]);
});

/** The event of a gap that a reader of the journal would have found at the record of an event. */
function gapAt(event: CertwireEvent, data: Record<string, unknown>): CertwireEvent {
  const { previoushash: _p, recordhash: _r, contentid: _c, subject: _s, ...plain } = event;
  const sequence = String(sequenceOf(event));
  return {
    ...plain,
    id: event.id.replace(/-\d+$/, "-65535"),
    type: "io.certwire.journal.gap.v1",
    dataschema: "urn:certwire:schema:journal.gap:v1",
    data: {
      ca: event.data["ca"],
      reason: "corrupt",
      firstSequence: sequence,
      lastSequence: sequence,
      problems: [],
      ...data,
    },
  };
}

test("a gap that the journal has is counted, and one of a record that it has is found", async (t) => {
  const directory = simulatedJournal(t, { epochs: 1, isKilled: true });
  recordOn(directory, {});
  const events = await publishedEvents(directory);
  const gap = events.find(({ id }) => id.endsWith("-65535"));
  assert.equal(gap?.data["reason"], "unclean-stop");
  const sound = await compareEvents(directory, events);
  assert.deepEqual([sound.found, sound.counts.gaps], [[], 1]);
  const remove = ["reason", "firstSequence", "lastSequence"];
  const redactor = new Redactor({ remove, hash: [], key: "" });
  const shown = await compareEvents(
    directory,
    events.map((event) => redactor.redact(event)),
  );
  assert.deepEqual([shown.found, shown.counts.gaps], [[], 1]);
  assert.equal(sound.counts.same, events.length - 1);
  assert.deepEqual(chainOf(events), []);
  const victim = issuedIn(events, 1);
  const [sequence, number] = [sequenceOf(victim), sequenceOf(events.at(-1) ?? victim)];
  const forgeries: [CertwireEvent, string][] = [
    [gapAt(victim, {}), `content 1/${sequence}`],
    [gapAt(victim, { lastSequence: undefined }), `content 1/${sequence}`],
    [gapAt(gap ?? victim, { reason: "because" }), `content 1/${sequenceOf(gap ?? victim)}`],
    [gapAt(gap ?? victim, { firstSequence: "1" }), `content 1/${sequenceOf(gap ?? victim)}`],
    [gapAt(gap ?? victim, { lastSequence: "x" }), `content 1/${sequenceOf(gap ?? victim)}`],
    [{ ...gapAt(victim, {}), recordhash: victim.recordhash ?? "" }, `content 1/${sequence}`],
    [
      {
        ...gapAt(events.at(-1) ?? victim, { firstSequence: String(number + 9) }),
        id: `${events.at(-1)?.id.slice(0, 32)}-${number + 9}-65535`,
        sequence: `0000000002-${String(number + 9).padStart(20, "0")}`,
        data: { reason: "corrupt", firstSequence: String(number + 9) },
      },
      `unknown 2/${number + 9}`,
    ],
  ];
  for (const [forged, expected] of forgeries) {
    const { found } = await compareEvents(directory, [...events, forged]);
    assert.deepEqual(found, [expected], JSON.stringify(forged.data));
  }
});

test("an event of the database is of no journal, and needs the id of one", async (t) => {
  const directory = simulatedJournal(t, { epochs: 1 });
  const events = await publishedEvents(directory);
  const { sequence: _s, ...real } = issuedIn(events, 1);
  const content = real.contentid ?? "";
  const row = { ...real, id: `db-${content}`, origin: "database" as const };
  const { found, counts } = await compareEvents(directory, [...events, row]);
  assert.deepEqual([found, counts.same], [[], events.length]);
  for (const forged of [
    { ...row, id: real.id },
    { ...row, id: "db-x" },
    { ...row, id: `rf-${content}` },
    { ...row, id: `db-${"A".repeat(22)}` },
    { ...issuedIn(events, 1), id: row.id, origin: "database" as const },
  ]) {
    const invalid = { code: "CERTWIRE_MESSAGE_INVALID" };
    await assert.rejects(compareEvents(directory, [...events, forged]), invalid);
    assert.throws(() => chainOf([...events, forged]), invalid);
  }
  const { found: changed } = await compareEvents(
    directory,
    events.map((each) => (each.id === real.id ? { ...each, contentid: "A".repeat(22) } : each)),
  );
  assert.deepEqual(changed, [`content 1/${sequenceOf(issuedIn(events, 1))}`]);
});

test("a member that a sink hides is absent or has the form of a hidden one, and no other value", async (t) => {
  const directory = simulatedJournal(t, { epochs: 1 });
  const events = await publishedEvents(directory);
  const hidden = ["request.requesterName", "certificate.serialNumber", "request.submittedWhen"];
  const options = { remove: [], hash: [], key: "k".repeat(32) };
  const redactors = [
    new Redactor({ ...options, remove: hidden }),
    new Redactor({ ...options, hash: hidden.slice(0, 2) }),
    new Redactor({ ...options, remove: ["certificate.subject", "attributes"] }),
    new Redactor({ ...options, hash: ["certificate.subject.commonName", "ca.name"] }),
  ];
  for (const redactor of redactors) {
    const shown = events.map((event) => redactor.redact(event));
    const { found, counts, details } = await compareEvents(directory, shown);
    assert.deepEqual(found, [], details[0]);
    assert.ok(counts.partly > 10);
    const victim = issuedIn(shown, 1);
    const request = victim.data["request"] as object;
    const problems = victim.data["problems"] as object[];
    for (const [name, value, reason] of [
      ["requesterName", "CORP\\nobody", "redacted"],
      ["requesterName", "CORP\\nobody", "omitted"],
      ["requesterName", "CORP\\nobody [redacted]", "redacted"],
      ["requestType", 99, "redacted"],
      ["requestId", "[redacted]", "withheld"],
    ] as const) {
      const said = { property: `request.${name}`, reason };
      const data = {
        ...victim.data,
        request: { ...request, [name]: value },
        problems: [...problems, said],
      };
      const altered = shown.map((each) => (each === victim ? { ...victim, data } : each));
      const result = await compareEvents(directory, altered);
      assert.deepEqual(result.found, [`content 1/${sequenceOf(victim)}`], `${name} ${reason}`);
    }
    for (const said of [
      { property: "request.requestType", reason: "conflict" },
      { property: "request.requestType", reason: "conflict", detail: "it is another one" },
    ]) {
      const data = { ...victim.data, problems: [...problems, said] };
      const altered = shown.map((each) => (each === victim ? { ...victim, data } : each));
      const result = await compareEvents(directory, altered);
      assert.deepEqual(result.found, [`content 1/${sequenceOf(victim)}`], "a made-up problem");
    }
    const subject = shown.map((each) =>
      each === victim ? { ...victim, subject: "certificate/00" } : each,
    );
    assert.deepEqual((await compareEvents(directory, subject)).found.length, 1);
  }
});

test("the problems of a record stay in an event of which a sink hides something", async (t) => {
  const directory = journalDirectory(t);
  const simulator = openSmall(directory);
  t.after(() => simulator.close());
  const event = smallEvent(7);
  simulator.notify({
    ...event,
    request: {
      ...event.request,
      RequesterName: { string: "CORP\\alice" },
      StatusCode: { hresult: 0x80070005 | 0 },
    },
  });
  await flushed(simulator);
  const redactor = new Redactor({ remove: ["request.requesterName"], hash: [], key: "" });
  const [shown] = (await publishedEvents(directory)).map((each) => redactor.redact(each));
  assert.ok(shown);
  const problems = shown.data["problems"] as { property: string; reason: string }[];
  const own = problems.filter(({ reason }) => reason === "error");
  assert.equal(own.length, 1);
  const found = async (changed: readonly object[]) => {
    const data = { ...shown.data, problems: changed };
    return (await compareEvents(directory, [{ ...shown, data }])).found.length;
  };
  assert.equal(await found(problems), 0);
  const others = problems.filter((each) => !own.includes(each));
  assert.equal(await found(others), 1, "gone");
  assert.equal(await found([...others, { ...own[0], hresult: "0x00000000" }]), 1, "altered");
  assert.equal(await found([...others, { ...own[0], property: "request.requestType" }]), 1);
  assert.equal(await found([...others, { property: "request.statusCode" }]), 1, "without reason");
  // As a sink leaves it that lacks space.
  assert.equal(await found([...others, { property: "problems", reason: "omitted" }]), 0);
});
