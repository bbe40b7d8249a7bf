import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CertwireError } from "../errors/certwire-error.ts";
import type { ExitRecord } from "../exit/record.ts";
import { ignoreMissing } from "../files/existing.ts";
import { type Comparison, type ComparisonLimits, compareRow } from "./compare-row.ts";
import { ContentIndex, type IndexEntry } from "./content-index.ts";

/** What backfills have published, to whatever sinks. */
export class Backfilled {
  readonly #indexes: readonly ContentIndex[];

  private constructor(indexes: readonly ContentIndex[]) {
    this.#indexes = indexes;
  }

  /** `directory`: that of the directories of the sinks. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  static async open(directory: string): Promise<Backfilled> {
    try {
      const names = (await readdir(directory).catch(ignoreMissing)) ?? [];
      return new Backfilled(names.map((name) => new ContentIndex(join(directory, name))));
    } catch (cause) {
      const message = `cannot read ${directory}`;
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", message, { cause });
    }
  }

  /** The entries of a file of the indexes, by request. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  async read(part: number): Promise<ReadonlyMap<number, IndexEntry[]>> {
    const all = new Map<number, IndexEntry[]>();
    for (const index of this.#indexes) {
      for (const [id, entries] of await index.read(part)) {
        all.set(id, [...(all.get(id) ?? []), ...entries]);
      }
    }
    return all;
  }
}

/** Compares a row with the journal, and what that lacks with what backfills have published. */
export function compareWithBackfilled(
  row: ExitRecord,
  entries: readonly IndexEntry[],
  published: readonly IndexEntry[],
  limits: ComparisonLimits,
): Comparison {
  const comparison = compareRow(row, entries, limits);
  if (comparison.missing.length === 0 || published.length === 0) return comparison;
  const all = [...entries, ...published].toSorted((a, b) => a.timeSeconds - b.timeSeconds);
  const rest = compareRow(row, all, limits);
  if (rest.class === "both") return { class: "backfilled", missing: [] };
  const detail = "database and an earlier backfill have different certificates";
  const isChanged = rest.class === "changed" && comparison.class !== "changed";
  if (isChanged) return { ...rest, detail };
  return rest.missing.length === 0 ? rest : comparison;
}
