import type { Epoch } from "./epoch.ts";

/** The epochs of one journal in the order of time, at least one. */
export type JournalEpochs = readonly [Epoch, ...Epoch[]];

/**
 * The journals that epochs belong to. A journal has one CA, so epochs with an id of a CA in common are of one journal;
 * `ca.changed` names the id before and after a renewal.
 */
export function journalsOf(epochs: Iterable<Epoch>): JournalEpochs[] {
  let groups: { names: Set<string>; epochs: Epoch[] }[] = [];
  for (const epoch of epochs) {
    const names = namesOf(epoch);
    const joined = { names: new Set(names), epochs: [epoch] };
    const isShared = (other: { readonly names: ReadonlySet<string> }): boolean =>
      names.some((name) => other.names.has(name));
    for (const group of groups.filter(isShared)) {
      for (const name of group.names) joined.names.add(name);
      joined.epochs.push(...group.epochs);
    }
    groups = [...groups.filter((group) => !isShared(group)), joined];
  }
  return groups
    .map((group) => group.epochs.toSorted(byTime) as [Epoch, ...Epoch[]])
    .toSorted(([a], [b]) => compare(a.since, b.since) || compare(a.id, b.id));
}

/** Without an id of the CA, as in a gap before the first certificate, only `source` says whose it is. */
function namesOf({ cas, sources }: Epoch): string[] {
  return cas.size > 0 ? [...cas] : [...sources].map((source) => `source ${source}`);
}

/** Numbers begin again when a journal is deleted, so they alone give no order. */
function byTime(a: Epoch, b: Epoch): number {
  return compare(a.since, b.since) || a.number - b.number || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
