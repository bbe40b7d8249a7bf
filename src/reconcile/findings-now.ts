import type { NativeCaFacts } from "../native/ca-database.ts";
import { readFindings } from "./findings-file.ts";
import { Comparing, type Finding, type ReconcileOptions } from "./reconcile.ts";

/** A run over every row that has ended. */
export interface EndedRun {
  readonly facts: NativeCaFacts;
  /** Of its findings. */
  readonly path: string;
  /** How many of them it had found when it went on where it was stopped; 0 if it did not. */
  readonly before: number;
}

/**
 * All findings of a run, as they are now: what it had found before it was stopped may have been published or recorded since,
 * so that these requests are compared again. Deleted rows do not come back. Rejects as `reconcile` does, and with the
 * signal's reason; the findings are not complete then.
 */
export async function findingsNow(
  options: ReconcileOptions,
  { facts, path, before }: EndedRun,
  signal: AbortSignal,
): Promise<AsyncIterable<Finding>> {
  const old = new Set<number>();
  if (before > 0) {
    for await (const { finding, isOld } of marked(path, before, signal)) {
      if (isOld && "requestId" in finding) old.add(finding.requestId);
    }
  }
  if (old.size === 0) return readFindings(path);
  const comparing = await Comparing.open(options, facts, false);
  const requests = [...old].toSorted((a, b) => a - b);
  await comparing.until(signal, () => comparing.compareOnly(requests, signal));
  return renewed(path, before, options.paths.changes, signal);
}

async function* renewed(
  path: string,
  before: number,
  now: string,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  for await (const { finding, isOld } of marked(path, before, signal)) if (!isOld) yield finding;
  yield* readFindings(now);
}

/** `isOld`: true for one of the first that may be over. A CRL is compared at the end of a run, so it is not. */
async function* marked(
  path: string,
  before: number,
  signal: AbortSignal,
): AsyncGenerator<{ finding: Finding; isOld: boolean }> {
  let count = 0;
  for await (const finding of readFindings(path)) {
    signal.throwIfAborted();
    count += 1;
    const mayBeOver = "requestId" in finding && finding.class !== "deleted";
    yield { finding, isOld: count <= before && mayBeOver };
  }
}
