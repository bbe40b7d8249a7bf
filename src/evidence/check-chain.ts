import { chainStart } from "../journal/chain.ts";
import type { EventLog, LoggedEpoch } from "./event-log.ts";
import { compareTexts, type Finding, type Findings } from "./finding.ts";

/** The number of the first record of an epoch: the frame that begins the epoch has 1. */
const firstRecord = 2;

/** Different versions of an event that are kept to compare others with. */
const maxVersions = 100;

/** How far the chain of some events was followed. */
export interface ChainReport {
  /** Records of which there are events. */
  readonly records: number;
  /** Links between two records that fit, and records that are proven to be the first of their epoch. */
  readonly links: number;
  /** Records of which the one before is not there, so that nothing can be said of the link. */
  readonly openLinks: number;
}

/** Follows the hash chain through all events of a log; what does not fit becomes a finding. */
export function checkChain(log: EventLog, findings: Findings): ChainReport {
  checkTimes(log.epochs, findings);
  const check = new ChainCheck(log, findings);
  const rows = log.sorted();
  for (let from = 0; from < rows.length; ) {
    let to = from + 1;
    while (to < rows.length && isSameRecord(log, rows[from] ?? 0, rows[to] ?? 0)) to += 1;
    check.take(rows.subarray(from, to));
    from = to;
  }
  return check.report;
}

function isSameRecord(log: EventLog, a: number, b: number): boolean {
  return log.epochAt(a) === log.epochAt(b) && log.sequenceAt(a) === log.sequenceAt(b);
}

class ChainCheck {
  readonly report = { records: 0, links: 0, openLinks: 0 };
  readonly #log: EventLog;
  readonly #findings: Findings;
  /** Of the record before: a row for each pair of hashes that its events have. */
  #before: readonly number[] = [];

  constructor(log: EventLog, findings: Findings) {
    this.#log = log;
    this.#findings = findings;
  }

  /** Takes all rows of the next record. */
  take(rows: Uint32Array): void {
    this.report.records += 1;
    const versions = this.#versionsOf(rows);
    const [first] = versions;
    if (first !== undefined) this.#checkLink(first, versions);
    this.#before = versions;
  }

  /** A row for each pair of hashes: one, unless somebody has changed something. */
  #versionsOf(rows: Uint32Array): number[] {
    const log = this.#log;
    const versions: number[] = [];
    let contents: number[] = [];
    for (const row of rows) {
      const [event] = contents;
      if (event === undefined || log.indexAt(row) !== log.indexAt(event)) contents = [row];
      if (log.isMisplacedAt(row)) this.#add("index", row, "no event of its kind has this index");
      if (!log.isChainedAt(row)) {
        this.#add("unchained", row, "it has no recordhash and previoushash");
        continue;
      }
      const [first = row] = versions;
      const isOther = addNew(versions, row, (each) => log.haveSameHashes(each, row));
      const isOtherContent = addNew(contents, row, (each) => log.haveSameContent(each, row));
      if (isOther && row !== first) this.#addDouble(row, first, "its hashes are not those of");
      else if (isOtherContent) {
        this.#addDouble(row, contents[0] ?? row, "it does not say what its copy says:");
      }
    }
    return versions;
  }

  #checkLink(row: number, versions: readonly number[]): void {
    const log = this.#log;
    const [before] = this.#before;
    const isSameEpoch = before !== undefined && log.epochAt(before) === log.epochAt(row);
    const isNext = isSameEpoch && log.sequenceAt(before) + 1 === log.sequenceAt(row);
    const { id, number } = log.epochs[log.epochAt(row)] ?? { id: "", number: 0 };
    const isLinked = isSameEpoch
      ? versions.some((to) => this.#before.some((from) => log.isLinked(from, to)))
      : versions.some((to) => log.follows(to, chainStart(id, number)));
    if (isLinked) this.report.links += 1;
    else if (isNext) {
      const detail = `the record before it is not the one at ${log.placeAt(before)}`;
      this.#add("link", row, detail);
    } else if (log.sequenceAt(row) === firstRecord) {
      this.#add("start", row, "its epoch did not begin with it");
    } else this.report.openLinks += 1;
  }

  #addDouble(row: number, other: number, what: string): void {
    this.#add("double", row, `${what} ${this.#log.placeAt(other)}`);
  }

  #add(kind: Finding["kind"], row: number, detail: string): void {
    const log = this.#log;
    const { id: epochId, number: epochNumber } = log.epochs[log.epochAt(row)] ?? {
      id: "",
      number: 0,
    };
    const sequence = log.sequenceAt(row);
    this.#findings.add({ kind, epochNumber, epochId, sequence, place: log.placeAt(row), detail });
  }
}

/** Adds a row unless one like it is known; true if it was added, or if there are too many to compare. */
function addNew(rows: number[], row: number, isSame: (other: number) => boolean): boolean {
  if (rows.some(isSame)) return false;
  if (rows.length < maxVersions) rows.push(row);
  return true;
}

/** A CA has one process, so of one journal no two epochs run at the same time. */
function checkTimes(epochs: readonly LoggedEpoch[], findings: Findings): void {
  for (const source of new Set(epochs.map((epoch) => epoch.source))) {
    const own = epochs.filter((epoch) => epoch.source === source);
    const inTime = own.toSorted((a, b) => compareTexts(a.since, b.since));
    let latest: LoggedEpoch | undefined;
    for (const epoch of inTime) {
      if (latest !== undefined && epoch.since < latest.until) {
        const { id: epochId, number: epochNumber } = epoch;
        const detail = `it ran while epoch ${latest.number} (${latest.id}) did: two journals`;
        findings.add({ kind: "together", epochNumber, epochId, sequence: 1, detail });
      }
      if (latest === undefined || epoch.until > latest.until) latest = epoch;
    }
  }
}
