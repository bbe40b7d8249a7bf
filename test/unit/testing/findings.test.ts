import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CaDatabase } from "../../../src/ca-database/ca-database.ts";
import { caIdOf } from "../../../src/events/ca-identity.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { findingClasses, findingEvent } from "../../../src/events/finding-event.ts";
import { loadNative, type SimulatedEvent, type SimulatedValue } from "../../../src/native/addon.ts";
import { readFindings } from "../../../src/reconcile/findings-file.ts";
import { JournalContents } from "../../../src/reconcile/journal-contents.ts";
import { reconcile } from "../../../src/reconcile/reconcile.ts";
import { ReportedFindings } from "../../../src/reconcile/reported-findings.ts";
import { RunFile } from "../../../src/reconcile/run-file.ts";
import { stateLayout } from "../../../src/state/layout.ts";
import { type TestCa, testCa } from "../../../src/testing/ca/test-ca.ts";
import { assertValid } from "../../support/exit-records.ts";
import { type CaRow, caFacts, FakeCaDatabase } from "../../support/fake-ca-database.ts";
import { journalDirectory } from "../../support/small-journal.ts";

const day = 86_400_000;

function failsWith(pattern: RegExp) {
  return { code: "CERTWIRE_TESTING_OPTIONS", message: pattern };
}

/** A CA whose dates lie after the beginning of a journal, and what it serves to an exit module that loses some of it. */
class LossyCa {
  readonly ca: TestCa;
  readonly #served: SimulatedEvent[] = [];
  readonly #recorded: SimulatedEvent[] = [];
  #isLosing = false;

  constructor() {
    this.ca = testCa({
      start: new Date(Date.now() + day),
      notified: (served) => {
        this.#served.push(served);
        if (!this.#isLosing) this.#recorded.push(served);
      },
    });
  }

  lose(act: () => void): void {
    this.ca.loseRecords(() => {
      this.#isLosing = true;
      act();
      this.#isLosing = false;
    });
  }

  /** The events of what a service finds that compares the journal of this CA with its database. */
  async findings(t: TestContext): Promise<CertwireEvent[]> {
    const state = mkdtempSync(join(tmpdir(), "certwire-findings-"));
    t.after(() => rmSync(state, { recursive: true }));
    const directory = journalDirectory(t);
    const { name, certificate } = this.ca;
    const simulator = new (loadNative().ExitSimulator)({ directory, caName: name });
    for (const event of this.#recorded) simulator.notify(event);
    assert.ok(simulator.shutdown());
    simulator.close();
    const native = new FakeCaDatabase(this.#served.filter(({ context }) => context > 0).map(rowOf));
    native.facts = { ...caFacts, name, sanitizedName: name, certificates: [certificate] };
    const later = () => Date.now() + 10 * day;
    native.now = later;
    const paths = stateLayout(state).reconcile;
    const report = await reconcile(
      {
        database: new CaDatabase(native, { config: "CA01\\Test", sleep: async () => undefined }),
        contents: await JournalContents.open(paths, later),
        journal: directory,
        paths,
        run: await RunFile.open(paths.run),
        now: later,
      },
      new AbortController().signal,
    );
    const reported = await ReportedFindings.open(paths.reported);
    await reported.take({
      startedMs: 0,
      endedMs: 0,
      rows: report.rows,
      isFull: true,
      ca: { id: caIdOf(certificate) ?? "", name },
      findings: readFindings(report.findingsFile),
      hasCompared: () => true,
      places: [],
    });
    return reported.after(0).map((each) => findingEvent(each, {}));
  }
}

/** The row that the CA has in its database after an event. */
function rowOf({ context, request, certificate }: SimulatedEvent): CaRow {
  const long = (value: SimulatedValue | undefined) =>
    value && "long" in value ? value.long : undefined;
  const date = (value: SimulatedValue | undefined) =>
    value && "date" in value ? Math.round((value.date - 25_569) * day) : undefined;
  const der = certificate["RawCertificate"];
  const row = {
    id: context,
    disposition: long(request["Disposition"]),
    status: long(request["StatusCode"]),
    reason: long(request["RevokedReason"]),
    submitted: date(request["SubmittedWhen"]),
    resolved: date(request["ResolvedWhen"]),
    revoked: date(request["RevokedWhen"]),
    certificate: der && "binary" in der ? der.binary : undefined,
  };
  const present = Object.entries(row).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as unknown as CaRow;
}

/** Without the number of the report, which its id is made of, and the time of the comparison. */
function comparable(event: CertwireEvent) {
  assert.match(event.id, /^rf-[\w-]{22}$/);
  const data = { ...event.data, foundTime: "" };
  return { ...event, id: "", time: "", recordedtime: "", data };
}

test("a finding is the event that the service makes of what its comparison finds", async (t) => {
  const lossy = new LossyCa();
  const { ca } = lossy;
  const kept = ca.issue();
  lossy.lose(() => {
    ca.issue();
    ca.revoke(ca.issue());
    ca.deny();
    ca.pend();
    ca.revoke(kept);
  });
  const made = [
    ca.reportFinding(kept, { class: "state" }),
    ...[2, 3, 4, 5].map((request) => ca.reportFinding(request)),
  ];
  for (const event of made) assertValid(event);
  const found = await lossy.findings(t);
  assert.deepEqual(
    made.map((event) => comparable(event)),
    found.map(comparable),
  );
});

test("a finding is open once and resolved once, with ids of their own, and may be found again", () => {
  const ca = testCa();
  const issued = ca.issue();
  const open = ca.reportFinding(issued);
  const resolved = ca.resolveFinding(open);
  assert.deepEqual([open.data.state, resolved.data.state], ["open", "resolved"]);
  assert.equal(open.data.class, "missing");
  assert.deepEqual(open.data.missing, ["certificate.issued"]);
  assert.equal(open.subject, "request/1");
  assert.ok(open.time < resolved.time);
  assert.equal(open.source, issued.source);
  const again = ca.reportFinding(issued);
  assert.equal(new Set([open.id, resolved.id, again.id]).size, 3);
  assert.deepEqual(ca.events.slice(-3), [open, resolved, again]);
  for (const event of ca.events) assertValid(event);
  const same = testCa();
  assert.deepEqual(same.reportFinding(same.issue()), open);
  assert.throws(
    () => ca.resolveFinding(open),
    failsWith(/resolveFinding: the event is not that of an open finding of this CA/),
  );
});

test("a CRL may be missing too, and nothing else is said of one", () => {
  const ca = testCa();
  const [base] = ca.publishCrl();
  assert.ok(base);
  const finding = ca.reportFinding(base);
  assertValid(finding);
  assert.equal(finding.subject, base.subject);
  assert.deepEqual(finding.data.missing, ["crl.issued"]);
  assert.equal(finding.data.request, undefined);
  assert.throws(
    () => ca.reportFinding(base, { class: "deleted" }),
    failsWith(/reportFinding: a CRL is missing, and not deleted/),
  );
});

test("each class of findings can be made, with details of one's own", () => {
  const ca = testCa();
  const issued = ca.issue();
  for (const found of findingClasses) {
    const finding = ca.reportFinding(issued, { class: found });
    assertValid(finding);
    assert.equal(finding.data.class, found);
    assert.equal(finding.data.detail === undefined, found === "missing");
  }
  const own = { missing: ["certificate.revoked"], detail: "what a test needs" } as const;
  const { data } = ca.reportFinding(issued, { class: "state", ...own });
  assert.deepEqual([data.missing, data.detail], [own.missing, own.detail]);
});

test("a finding of a request that the CA does not have, of another CA or of no class is refused", () => {
  const ca = testCa();
  ca.issue();
  assert.throws(() => ca.reportFinding(7), failsWith(/reportFinding: this CA has no request 7/));
  const foreign = testCa({ seed: 2 });
  assert.throws(
    () => ca.reportFinding(foreign.issue()),
    failsWith(/reportFinding: the event is of another CA/),
  );
  assert.throws(
    () => ca.reportFinding(1, { class: "lost" as never }),
    failsWith(/reportFinding: "lost" is not a class of findings/),
  );
});
