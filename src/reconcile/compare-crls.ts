import { type CrlFact, type CrlRow, crlRowFact } from "../events/crl-row-event.ts";
import { unixMsOf } from "../events/times.ts";
import type { NativeCaFacts } from "../native/ca-database.ts";
import { classMeanings, isYoung } from "./compare-row.ts";
import { ContentIndex, crlRequestId, type IndexEntry, keptContentId } from "./content-index.ts";
import { crlSubjectId } from "./crl-entry-id.ts";
import { type Compared, ownEntries } from "./walk-database.ts";

const { both, missing, backfilled, history, unsettled, deleted } = classMeanings;

/** What a comparison says of a CRL, and what that means. The how-to has the same (tested). */
export const crlClassMeanings = {
  both,
  missing,
  partition: "of a partition, which no exit module can see",
  backfilled,
  history,
  unsettled,
  deleted,
} as const;

/** One of `crlClassMeanings`. */
export type CrlClass = keyof typeof crlClassMeanings;

/** The classes, in the order in which they are shown. */
export const crlClasses = Object.keys(crlClassMeanings) as readonly CrlClass[];

/** What is compared. */
export interface CrlOptions extends Compared {
  readonly facts: NativeCaFacts;
  /** What backfills have published of CRLs. */
  readonly published: readonly IndexEntry[];
  /** How long before a row was read something may have happened that is not in the journal yet, in ms. */
  readonly settleMs: number;
}

/** A CRL of the database. */
export interface ComparedCrl {
  readonly class: CrlClass;
  readonly fact: CrlFact;
  readonly row: CrlRow;
}

/** File of the index that has the CRLs. */
export const crlPart = ContentIndex.partOf(crlRequestId);

/** Compares the CRLs of a database, those of its partitions included, with the journal. */
export class CrlComparison {
  readonly #options: CrlOptions;
  readonly #published: ReadonlySet<string | undefined>;
  /** What the database has, as entries have it. */
  readonly #seen = new Set<string>();
  #own: readonly IndexEntry[] = [];
  #ownIds: ReadonlySet<string | undefined> = new Set();
  #isWhole = true;

  constructor(options: CrlOptions) {
    this.#options = options;
    this.#published = idsOf(options.published);
  }

  /** Each CRL of the database, once. Rejects as `CaDatabase.crls` and `JournalContents.update` do. */
  async *rows(signal: AbortSignal): AsyncGenerator<ComparedCrl> {
    await this.#readOwn();
    for await (const page of this.#read(signal)) yield* await this.#compare(page, signal);
  }

  /** False if a CRL could not be read: of one that `rows` did not give, nothing is known then. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  async #compare(page: readonly CrlRow[], signal: AbortSignal): Promise<ComparedCrl[]> {
    const { contents, journal } = this.#options;
    const crls = this.#newOf(page);
    const classes = crls.map((each) => this.#classOf(each));
    if (classes.includes("missing")) {
      // The journal is read after the rows, so that what happens meanwhile is not taken for missing.
      await contents.update(journal, signal);
      signal.throwIfAborted();
      await this.#readOwn();
    }
    return crls.map((each, at) => {
      const found = classes[at];
      const isSure = found !== undefined && found !== "missing";
      return { ...each, class: isSure ? found : this.#classOf(each) };
    });
  }

  /** The CRLs of a page that no earlier one had. */
  #newOf(page: readonly CrlRow[]): Omit<ComparedCrl, "class">[] {
    return page.flatMap((row) => {
      const fact = crlRowFact(row);
      if (fact === undefined && row.record.problems.length > 0) this.#isWhole = false;
      if (fact === undefined || this.#seen.has(keptContentId(fact.contentId))) return [];
      for (const id of idsOfFact(fact)) this.#seen.add(id);
      return [{ fact, row }];
    });
  }

  /**
   * How many CRLs only the journal has; `unsettled`, as long as that may still change. Call it after `rows` has ended.
   * `readMs`: when it began, in ms since 1970.
   */
  onlyInJournal(readMs: number): Record<"deleted" | "unsettled", number> {
    const counts = { deleted: 0, unsettled: 0 };
    const counted = new Set(this.#seen);
    for (const { contentId: id, timeSeconds } of this.#own) {
      if (id === undefined || counted.has(id)) continue;
      counted.add(id);
      counts[this.#isYoung(timeSeconds * 1000, readMs) ? "unsettled" : "deleted"] += 1;
    }
    return counts;
  }

  async *#read(signal: AbortSignal): AsyncGenerator<readonly CrlRow[]> {
    const { database } = this.#options;
    yield* database.crls(0, signal);
    for await (const row of database.partitionedCrls(signal)) yield [row];
  }

  async #readOwn(): Promise<void> {
    const { contents, facts } = this.#options;
    this.#own = (await ownEntries(contents, facts, crlPart)).crls;
    this.#ownIds = idsOf(this.#own);
  }

  #classOf({ fact, row }: Omit<ComparedCrl, "class">): CrlClass {
    const { timeMs, partition } = fact;
    const readMs = unixMsOf(row.record.time);
    const { coveredSinceMs } = this.#options.contents;
    const ids = idsOfFact(fact);
    if (ids.some((id) => this.#ownIds.has(id))) return "both";
    if (ids.some((id) => this.#published.has(id))) return "backfilled";
    if (partition !== undefined) return "partition";
    if (this.#isYoung(timeMs ?? 0, readMs)) return "unsettled";
    const isHistory =
      coveredSinceMs === undefined || (timeMs !== undefined && timeMs < coveredSinceMs);
    return isHistory ? "history" : "missing";
  }

  #isYoung(timeMs: number, readMs: number): boolean {
    const { contents, settleMs } = this.#options;
    return isYoung(timeMs, { readMs, knownUntilMs: contents.knownUntilMs, settleMs });
  }
}

function idsOf(entries: readonly IndexEntry[]): ReadonlySet<string | undefined> {
  return new Set(entries.map(({ contentId }) => contentId));
}

/** What an entry about the same CRL may have as content id. */
function idsOfFact({ contentId, subject }: CrlFact): string[] {
  return [contentId, crlSubjectId(subject)].map(keptContentId);
}
