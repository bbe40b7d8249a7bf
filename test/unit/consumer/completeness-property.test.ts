import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Completeness } from "../../../src/consumer/completeness/completeness.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { type Arrived, missingOf, textsOf } from "../../support/completeness-oracle.ts";
import { type EpochPlan, JournalTruth, type RecordPlan } from "../../support/journal-truth.ts";
import { scaled, sizeFromEnvironment } from "../../support/scale.ts";

const runs = sizeFromEnvironment("CERTWIRE_MODEL_RUNS", scaled(200));

const record: fc.Arbitrary<RecordPlan> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<RecordPlan>({ do: "issue" }) },
  { weight: 1, arbitrary: fc.constantFrom<RecordPlan>({ do: "change" }, { do: "overflow" }) },
  { weight: 1, arbitrary: fc.constant<RecordPlan>({ do: "doubt" }) },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 3 }).map((events): RecordPlan => ({ do: "crl", events })),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 4 })
      .map((records): RecordPlan => ({ do: "damage", records })),
  },
);
const epoch: fc.Arbitrary<EpochPlan> = fc.record({
  records: fc.array(record, { maxLength: 12 }),
  end: fc.constantFrom("clean", "late", "killed"),
  isNextMissing: fc.integer({ min: 0, max: 5 }).map((number) => number === 0),
});
const journal = fc.array(epoch, { minLength: 1, maxLength: 4 });

/** Which copies of an event arrive: `l` for a live one, `r` for a replay. */
const fates = (loss: number): fc.Arbitrary<string[]> =>
  fc.array(
    fc.oneof(
      { weight: 20, arbitrary: fc.constant("l") },
      { weight: loss, arbitrary: fc.constant("") },
      { weight: 2, arbitrary: fc.constantFrom("ll", "lr", "lrr", "r") },
    ),
    { minLength: 1, maxLength: 60, size: "max" },
  );

/** The copies that arrive, in an order of their own. */
function deliver(
  events: readonly CertwireEvent[],
  fate: readonly string[],
  order: readonly number[],
) {
  const copies: CertwireEvent[] = [];
  const any = new Set<CertwireEvent>();
  const live = new Set<CertwireEvent>();
  for (const [at, event] of events.entries()) {
    for (const copy of fate[at % fate.length] ?? "") {
      any.add(event);
      if (copy === "l") live.add(event);
      copies.push(copy === "l" ? event : { ...event, replayed: true });
    }
  }
  const keyed = copies.map((copy, at) => ({ copy, key: order[at % order.length] ?? 0 }));
  const mixed = keyed.toSorted((a, b) => a.key - b.key).map(({ copy }) => copy);
  return { copies: mixed, arrived: { any, live } satisfies Arrived };
}

function through(copies: readonly CertwireEvent[], restartAt: number): Completeness {
  let completeness = new Completeness();
  for (const [at, event] of copies.entries()) {
    if (at === restartAt)
      completeness = Completeness.from(JSON.parse(JSON.stringify(completeness)));
    completeness.add(event);
  }
  return completeness;
}

const input = (loss: number) =>
  fc.record({
    plans: fc.array(journal, { minLength: 1, maxLength: 2 }),
    fate: fates(loss),
    order: fc.array(fc.nat(1000), { minLength: 1, maxLength: 80, size: "max" }),
    restartAt: fc.nat(120),
  });

test("exactly what was taken out of the journals is reported, whatever the order and the copies", (context) => {
  let [holes, complete] = [0, 0];
  fc.assert(
    fc.property(input(2), ({ plans, fate, order, restartAt }) => {
      const truths = plans.map((plan, at) => new JournalTruth(`${"ab"[at]}`, plan, at * 777));
      const events = truths.flatMap((truth) => truth.events);
      const { copies, arrived } = deliver(events, fate, order);
      const report = through(copies, restartAt).report();
      for (const truth of truths) {
        const expected = missingOf(truth, arrived);
        const source = truth.events[0]?.source ?? "";
        const own = report.journals.find(({ sources }) => sources.includes(source));
        assert.deepEqual(textsOf(own?.holes ?? []).toSorted(), expected.toSorted());
        const open = expected.filter((text) => !text.endsWith("="));
        holes += open.length;
        if (open.length === 0) complete += 1;
        assert.equal(
          (own?.holes ?? []).every((hole) => hole.accountedBy !== undefined),
          open.length === 0,
        );
      }
      assert.equal(report.events, arrived.any.size);
      assert.equal(report.duplicates, copies.length - arrived.any.size);
    }),
    { numRuns: runs },
  );
  context.diagnostic(`${holes} holes; ${complete} journals without any`);
  assert.ok(holes > 0 && complete > 0);
});

test("with every event there is no hole, and the damage of the journal is accounted for", () => {
  fc.assert(
    fc.property(input(0), ({ plans, order, restartAt }) => {
      const truths = plans.map((plan, at) => new JournalTruth(`${"ab"[at]}`, plan, at * 777));
      const events = truths.flatMap((truth) => truth.events);
      const { copies } = deliver(events, ["l", "ll"], order);
      const report = through(copies, restartAt).report();
      assert.equal(report.isComplete, true, JSON.stringify(report.journals));
      assert.equal(report.journals.length, truths.length);
    }),
    { numRuns: runs },
  );
});

test("the report does not depend on the order of the events, nor on restarts", () => {
  fc.assert(
    fc.property(
      input(2),
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 80 }),
      (first, order) => {
        const events = first.plans.flatMap(
          (plan, at) => new JournalTruth(`${"ab"[at]}`, plan).events,
        );
        const one = deliver(events, first.fate, first.order).copies;
        const other = deliver(events, first.fate, order).copies;
        assert.deepEqual(through(one, first.restartAt).report(), through(other, -1).report());
      },
    ),
    { numRuns: runs },
  );
});
