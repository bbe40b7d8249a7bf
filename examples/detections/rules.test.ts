import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { CertwireEvent } from "../../src/events/event.ts";
import { kindOf } from "../../src/events/event-kind.ts";
import {
  assertValid,
  encodeRecord,
  eventContext,
  eventsOfFrame,
  frameOf,
} from "../../test/support/exit-records.ts";
import { lifelikeEvents } from "../../test/support/lifelike-events.ts";
import { Detector } from "./detector.ts";
import { matcherOf } from "./match.ts";
import { Memory } from "./memory.ts";
import { rules } from "./rules.ts";
import { alice, type Sample, sampleSettings } from "./sample.ts";
import { issuedRecord } from "./sample-records.ts";
import { samples } from "./samples.ts";

/** The same, but in the end the certificate is revoked: no alarm for what was known before. */
function revoked({ what, specs }: Sample): Sample {
  const last = { ...specs.at(-1)!, decision: "revoked" } as const;
  return { what: `${what}, revoked`, alarms: [], specs: [...specs.slice(0, -1), last] };
}

/** The events of a sample, as the service makes them; each is checked against its schema. */
function eventsOf({ specs }: Pick<Sample, "specs">): CertwireEvent[] {
  const context = eventContext();
  const events = specs.flatMap((spec, at) => {
    const record = encodeRecord({ ...issuedRecord(spec) });
    return eventsOfFrame(frameOf(record, { sequence: BigInt(at + 1) }), context);
  });
  for (const event of events) assertValid(event);
  // As a consumer gets them.
  return JSON.parse(JSON.stringify(events)) as CertwireEvent[];
}

/** The rules that each event raises. */
function alarmsOf(events: readonly CertwireEvent[], detector: Detector): string[][] {
  return events.map((event) => {
    const alarms = detector.detect(event);
    detector.remember(event);
    return alarms.map(({ rule }) => rule);
  });
}

for (const rule of rules) {
  suite(`rule ${rule.id}`, () => {
    for (const sample of samples[rule.id] ?? []) {
      test(sample.what, () => {
        const raised = alarmsOf(eventsOf(sample), new Detector(rules, sampleSettings));
        assert.deepEqual(raised.at(-1), sample.alarms);
      });
    }

    test("is found by one of its samples at least, and leaves a near miss alone", () => {
      const own = samples[rule.id] ?? [];
      assert.ok(own.some(({ alarms }) => alarms.includes(rule.id)));
      assert.ok(own.some(({ alarms }) => alarms.length === 0));
    });
  });
}

test("the revocation of a certificate raises no alarm again", () => {
  for (const sample of Object.values(samples).flat().map(revoked)) {
    const raised = alarmsOf(eventsOf(sample), new Detector(rules, sampleSettings));
    assert.deepEqual(raised.at(-1), [], sample.what);
  }
});

test("each part of a condition matters: without it a sample has another outcome", () => {
  const unneeded: string[] = [];
  for (const rule of rules) {
    const own = (samples[rule.id] ?? []).flatMap((sample) => [sample, revoked(sample)]);
    const recorded = own.map((sample) => ({ sample, events: eventsOf(sample) }));
    for (const name of Object.keys(rule.detection.selections)) {
      for (const specversion of ["1.0", "never"]) {
        const selections = { ...rule.detection.selections, [name]: { specversion } };
        const changed = { ...rule, detection: { ...rule.detection, selections } };
        const isNoticed = recorded.some(({ sample, events }) => {
          const raised = alarmsOf(events, new Detector([changed], sampleSettings)).at(-1) ?? [];
          return raised.includes(rule.id) !== sample.alarms.includes(rule.id);
        });
        if (!isNoticed) unneeded.push(`${rule.id}: ${name} ${specversion}`);
      }
    }
  }
  assert.deepEqual(unneeded, []);
});

test("10,000 lifelike events raise no alarm", (t) => {
  const { events } = lifelikeEvents("detections", 10_000, { withCrls: false });
  const detector = new Detector(rules, sampleSettings);
  assert.deepEqual(detector.rulesOff, []);
  const raised = events.flatMap((event) => {
    const alarms = detector.detect(event);
    detector.remember(event);
    return alarms;
  });
  assert.deepEqual(raised, []);
  const issued = events.filter((event) => kindOf(event) === "certificate.issued").length;
  assert.ok(events.length >= 10_000 && issued > 5_000);
  t.diagnostic(`${events.length} events, ${issued} certificates, 0 alarms`);
});

test("what was known before an event that comes late or is replayed stays known", () => {
  const newer = { ...alice, template: { oid: "1.3.6.1.4.1.311.21.8.7", major: 100, minor: 6 } };
  const alarmsIn = (order: readonly number[], ...specs: Sample["specs"]) => {
    const events = eventsOf({ specs });
    return alarmsOf(
      order.map((at) => events[at]!),
      new Detector(rules, sampleSettings),
    );
  };
  assert.deepEqual(alarmsIn([0, 1, 0, 2], alice, newer, newer), [[], ["esc4"], [], []]);
  assert.deepEqual(alarmsIn([1, 0, 2], alice, newer, newer), [[], [], []]);
  const without = { ...alice, sid: undefined };
  assert.deepEqual(alarmsIn([0, 1, 0, 2], alice, without, without), [[], ["esc16"], [], []]);
  const recreated = { ...alice, sid: "S-1-5-21-1-2-3-2104" };
  const supplied = { ...recreated, sidOrigin: "request" } as const;
  assert.deepEqual(alarmsIn([1, 0, 2], alice, recreated, supplied), [[], [], []]);
});

test("the time orders the events of two epochs: a restored CA begins its sequences low again", () => {
  const newer = { ...alice, template: { oid: "1.3.6.1.4.1.311.21.8.7", major: 100, minor: 6 } };
  const [, before, after] = eventsOf({ specs: [alice, alice, newer] });
  const restored = {
    ...after!,
    id: `${"0".repeat(32)}-1-0`,
    sequence: `${"0".repeat(before!.sequence!.length - 1)}1`,
    time: new Date(Date.parse(before!.time) + 1000).toISOString(),
  };
  const detector = new Detector(rules, sampleSettings);
  assert.deepEqual(alarmsOf([before!, restored, before!], detector), [[], ["esc4"], []]);
});

test("rules without their lists are off, and named", () => {
  assert.deepEqual(new Detector(rules).rulesOff, [
    { rule: "esc13", lacks: "linked_policies" },
    { rule: "esc17", lacks: "web_teams" },
    { rule: "certighost-cdc", lacks: "domain_controllers" },
    { rule: "certighost-dc", lacks: "domain_controllers" },
  ]);
});

test("a memory that was saved continues where it was", () => {
  const [before, after] = eventsOf(samples["esc16"]![0]!);
  const first = new Detector(rules, sampleSettings);
  first.remember(before!);
  const saved = JSON.parse(JSON.stringify(first.memory)) as ReturnType<Memory["toJSON"]>;
  const second = new Detector(rules, sampleSettings, new Memory(saved));
  assert.deepEqual(alarmsOf([after!], second), [["esc16"]]);
});

test("an alarm that was not remembered is raised again, with the same id", () => {
  const events = eventsOf(samples["esc7"]![0]!);
  const detector = new Detector(rules, sampleSettings);
  detector.remember(events[0]!);
  const [first, again] = [detector.detect(events[1]!), detector.detect(events[1]!)];
  assert.deepEqual(first, again);
  assert.equal(first[0]?.id, `esc7/${events[1]!.id}`);
  assert.equal(first[0]?.requester, "CORP\\alice");
});

test("events of every kind, also broken ones, raise nothing and throw nothing", () => {
  const detector = new Detector(rules, sampleSettings);
  const [event] = eventsOf(samples["esc2"]![0]!);
  for (const data of [
    {},
    { request: {} },
    { certificate: {} },
    { request: { requesterName: "" } },
  ]) {
    assert.deepEqual(alarmsOf([{ ...event!, data }], detector), [[]]);
  }
  const gap = {
    ...event!,
    dataschema: "urn:certwire:schema:journal.gap:v1",
    data: { reason: "x" },
  };
  const later = { ...event!, dataschema: "urn:certwire:schema:certificate.unheard:v1" };
  assert.deepEqual(alarmsOf([gap, later], detector), [[], []]);
});

test("conditions bind as in Sigma, and a broken one is refused", () => {
  const selections = { a: { v: 1 }, b: { v: 2 }, c: { v: 3 } };
  const outcome = (condition: string, v: number[]) =>
    matcherOf({ selections, condition })({ v }, {});
  assert.equal(outcome("a or b and c", [1]), true);
  assert.equal(outcome("(a or b) and c", [1]), false);
  assert.equal(outcome("not a and b", [2]), true);
  assert.equal(outcome("not (a and b)", [1, 2]), false);
  for (const condition of ["a and", "d", "(a", "a b", "", "not"]) {
    assert.throws(() => outcome(condition, []), SyntaxError, condition);
  }
});
