// Random lives of requests: what the exit module records of each step, and what the database keeps of all of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dispositions, exitEvents } from "../../../src/exit/ca-codes.ts";
import type { CaRow } from "../../support/fake-ca-database.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";
import { sizeFromEnvironment } from "../../support/scale.ts";

const { issued, revoked, pending, denied, failed } = dispositions;

const numRuns = sizeFromEnvironment("CERTWIRE_MODEL_RUNS", 10);

type Step = "pend" | "issue" | "deny" | "fail" | "revoke" | "hold" | "release";

/** What may happen to a request in a state, as the CA allows it. */
const possible: Readonly<Record<string, readonly Step[]>> = {
  new: ["pend", "issue", "deny", "fail"],
  [pending]: ["issue", "deny", "fail"],
  [denied]: ["issue", "deny", "pend"],
  [issued]: ["revoke", "hold"],
  [revoked]: ["revoke", "hold", "release"],
};

/** The row after a step, and the event that the CA sends; `seconds`: when. */
function after(row: CaRow, step: Step, seconds: number): { event: number; row: CaRow } {
  const now = seconds * 1000;
  const resolved = { ...row, resolved: now };
  const certificate = row.certificate ?? ReconcileScene.certificate(row.id * 1000 + seconds);
  switch (step) {
    case "pend":
      return { event: exitEvents.pending, row: { ...row, disposition: pending } };
    case "issue":
      return { event: exitEvents.issued, row: { ...resolved, disposition: issued, certificate } };
    case "deny":
      return {
        event: exitEvents.denied,
        row: { ...resolved, disposition: denied, status: -seconds },
      };
    case "fail":
      return {
        event: exitEvents.denied,
        row: { ...resolved, disposition: failed, status: -seconds },
      };
    case "release":
      return {
        event: exitEvents.revoked,
        row: { ...row, disposition: issued, revoked: now, reason: -1 },
      };
    default: {
      const reason = step === "hold" ? 6 : 1;
      return {
        event: exitEvents.revoked,
        row: { ...row, disposition: revoked, revoked: now, reason },
      };
    }
  }
}

interface Life {
  readonly steps: readonly { readonly event: number; readonly row: CaRow }[];
}

/** A life of a request, chosen by numbers; only the release of a hold is one. */
function lifeOf(id: number, choices: readonly number[], begin: number): Life {
  const steps: { event: number; row: CaRow }[] = [];
  let row: CaRow = { id, submitted: begin };
  for (const [index, choice] of choices.entries()) {
    const state = row.disposition === undefined ? "new" : String(row.disposition);
    const all = (possible[state] ?? []).filter((step) => step !== "release" || row.reason === 6);
    const step = all[choice % Math.max(1, all.length)];
    if (step === undefined) break;
    const done = after(row, step, begin / 1000 + 2 * (index + 1));
    row = done.row;
    steps.push(done);
  }
  return { steps };
}

const anyLives = fc.array(fc.array(fc.nat(1000), { minLength: 1, maxLength: 8 }), {
  minLength: 1,
  maxLength: 40,
});

test("for any histories, journal and database agree", async (t) => {
  await fc.assert(
    fc.asyncProperty(anyLives, async (choices) => {
      const scene = new ReconcileScene(t);
      const lives = choices.map((each, index) => lifeOf(index + 2, each, scene.begin));
      // The steps of all requests happen among each other.
      const longest = Math.max(...lives.map(({ steps }) => steps.length));
      for (let at = 0; at < longest; at += 1) {
        for (const { steps } of lives) {
          const step = steps[at];
          if (step !== undefined) scene.happen(step.event, step.row);
        }
      }
      const { counts, findings } = await scene.reconcile();
      assert.deepEqual(findings, []);
      assert.equal(counts.both, lives.length);
    }),
    { numRuns },
  );
});

test("whatever last step of any histories the journal lacks, it is found, and nothing else", async (t) => {
  await fc.assert(
    fc.asyncProperty(anyLives, fc.array(fc.nat(1000), { maxLength: 10 }), async (choices, lost) => {
      const scene = new ReconcileScene(t);
      const lives = choices.map((each, index) => lifeOf(index + 2, each, scene.begin));
      const without = new Set(lost.map((each) => (each % lives.length) + 2));
      for (const [index, { steps }] of lives.entries()) {
        const isLost = without.has(index + 2);
        for (const { event, row } of isLost ? steps.slice(0, -1) : steps) scene.happen(event, row);
        const last = steps.at(-1);
        if (isLost && last) scene.database.put(last.row);
      }
      const { findings } = await scene.reconcile();
      assert.deepEqual(
        findings.map((finding) => "requestId" in finding && finding.requestId),
        [...without].toSorted((a, b) => a - b),
      );
      for (const finding of findings) assert.match(finding.class, /^(missing|state)$/);
    }),
    { numRuns },
  );
});
