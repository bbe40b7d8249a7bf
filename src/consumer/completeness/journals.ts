import type { Epoch } from "./epoch.ts";

/** Epochs whose numbers ascend, at least one. */
export type Run = readonly [Epoch, ...Epoch[]];

/**
 * One journal in the order of time. It has several runs if the numbers of its epochs began again: after it was deleted,
 * after an older copy was restored, or on another server.
 */
export type JournalRuns = readonly [Run, ...Run[]];

/**
 * The journals that epochs belong to. A journal has one CA, so epochs with an id of a CA in common are of one journal;
 * `ca.changed` names the id before and after a renewal.
 */
export function journalsOf(epochs: Iterable<Epoch>): JournalRuns[] {
  const groups = new Groups();
  for (const epoch of epochs) groups.add(epoch, namesOf(epoch));
  return groups
    .all()
    .map(runsOf)
    .toSorted(([[a]], [[b]]) => compare(a.since, b.since) || compare(a.id, b.id));
}

/** Without an id of the CA, as in a gap before the first certificate, only `source` says whose it is. */
function namesOf({ cas, sources }: Epoch): string[] {
  return cas.size > 0 ? [...cas] : [...sources].map((source) => `source ${source}`);
}

/** Epochs that have a name in common, also by way of others. */
class Groups {
  readonly #epochs: Epoch[] = [];
  /** For each epoch the index of another one of its group, or its own. */
  readonly #parents: number[] = [];
  readonly #byName = new Map<string, number>();

  add(epoch: Epoch, names: readonly string[]): void {
    const at = this.#epochs.push(epoch) - 1;
    this.#parents.push(at);
    for (const name of names) {
      const other = this.#byName.get(name);
      if (other === undefined) this.#byName.set(name, at);
      else this.#parents[this.#rootOf(at)] = this.#rootOf(other);
    }
  }

  all(): Epoch[][] {
    const groups = new Map<number, Epoch[]>();
    for (const [at, epoch] of this.#epochs.entries()) {
      const root = this.#rootOf(at);
      const group = groups.get(root);
      if (group === undefined) groups.set(root, [epoch]);
      else group.push(epoch);
    }
    return [...groups.values()];
  }

  #rootOf(at: number): number {
    for (let root = at; ; ) {
      const parent = this.#parents[root] ?? root;
      if (parent === root) return root;
      // Makes the next search shorter.
      const next = this.#parents[parent] ?? parent;
      this.#parents[root] = next;
      root = next;
    }
  }
}

/**
 * Divides the epochs of a journal, at least one. The numbers have begun again where one appears a second time, or where
 * a lower one begins after all that is known has ended; if it begins before that, the clock was set back.
 */
function runsOf(epochs: readonly Epoch[]): JournalRuns {
  const runs: [Epoch, ...Epoch[]][] = [];
  let numbers = new Set<number>();
  let [highest, until] = [-1, ""];
  for (const epoch of epochs.toSorted(byTime)) {
    const hasFallen = epoch.number < highest && epoch.since > until;
    const run = runs.at(-1);
    if (run === undefined || hasFallen || numbers.has(epoch.number)) {
      runs.push([epoch]);
      numbers = new Set();
      [highest, until] = [-1, ""];
    } else {
      run.push(epoch);
    }
    numbers.add(epoch.number);
    highest = Math.max(highest, epoch.number);
    if (epoch.until > until) until = epoch.until;
  }
  const sorted: Run[] = runs.map((run) => run.toSorted((a, b) => a.number - b.number) as [Epoch]);
  return sorted as [Run, ...Run[]];
}

function byTime(a: Epoch, b: Epoch): number {
  return compare(a.since, b.since) || a.number - b.number || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
