import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { CompleteRun } from "../../src/reconcile/next-reports.ts";
import type { Finding } from "../../src/reconcile/reconcile.ts";

/** The CA of the findings. */
export const findingsCa = { id: "b".repeat(64), name: "Contoso" };
/** When what is missing happened. */
export const findingsTime = "2026-03-01T12:00:00.000Z";

/** A directory for files of findings, which is deleted after the test. */
export function findingsDirectory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "certwire-findings-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A request that the journal does not have. */
export function missingRequest(requestId: number): Finding {
  return { class: "missing", requestId, missing: ["certificate.issued"], time: findingsTime };
}

/** A request whose row was deleted. */
export function deletedRequest(requestId: number, time = findingsTime): Finding {
  return { class: "deleted", requestId, missing: [], time };
}

async function* each(findings: readonly Finding[]): AsyncGenerator<Finding> {
  yield* findings;
}

/** A complete comparison that has found this, and has compared everything, for one sink that has nothing yet. */
export function runOf(
  findings: readonly Finding[],
  changes: Partial<CompleteRun> = {},
): CompleteRun {
  return {
    startedMs: Date.parse(findingsTime) + 1000,
    endedMs: Date.parse(findingsTime) + 2000,
    rows: 10,
    isFull: true,
    ca: findingsCa,
    findings: each(findings),
    hasCompared: () => true,
    places: [0],
    ...changes,
  };
}
