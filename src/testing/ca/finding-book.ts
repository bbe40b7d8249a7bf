import type { EventKind } from "../../events/event.ts";
import {
  type FindingClass,
  findingClasses,
  findingDetails,
  type ReportedFinding,
} from "../../events/finding-event.ts";
import { usageError } from "./usage-error.ts";

/** What a finding says. */
export interface FindingOptions {
  /** Default `missing`, the only one of a CRL. */
  readonly class?: FindingClass;
  /** Kinds of the events that the journal lacks. Default: of `missing` all that happened, of `state` the last, else none. */
  readonly missing?: readonly EventKind[];
  /** What differs, for people. Default what the service says, for `unknown` with a disposition of 99. */
  readonly detail?: string;
}

/** What a finding is about. */
export interface FoundRow {
  readonly about: { readonly requestId: number } | { readonly crl: string };
  /** What the database says has happened to it, in that order; `at` in ms since 1970. */
  readonly happened: readonly { readonly kind: EventKind; readonly at: number | undefined }[];
}

/** The findings of a test CA, and which are open. */
export class FindingBook {
  /** By the id of their events. */
  readonly #open = new Map<string, ReportedFinding>();
  #lastNumber = 0;

  /** The report of a finding. Throws CERTWIRE_TESTING_OPTIONS. */
  report(
    { about, happened }: FoundRow,
    options: FindingOptions,
    { ca, now }: { readonly ca: ReportedFinding["ca"]; readonly now: Date },
  ): ReportedFinding {
    const { class: found = "missing" } = options;
    if (!findingClasses.includes(found)) {
      throw usageError(`reportFinding: "${found}" is not a class of findings`);
    }
    if ("crl" in about && found !== "missing") {
      throw usageError(`reportFinding: a CRL is missing, and not ${found}`);
    }
    const kinds = happened.map(({ kind }) => kind);
    const missing = options.missing ?? lackedOf(found, kinds);
    const detail = options.detail ?? detailOf(found, missing, kinds);
    const happenedMs = happened.at(-1)?.at;
    return {
      number: this.#nextNumber(),
      state: "open",
      class: found,
      ca,
      ...about,
      missing,
      ...(happenedMs !== undefined && { happenedMs }),
      ...(detail !== undefined && { detail }),
      foundMs: now.getTime(),
    };
  }

  /** Remembers the event of an open finding. */
  keep(id: string, report: ReportedFinding): void {
    this.#open.set(id, report);
  }

  /** The report that ends the finding of an event. Throws CERTWIRE_TESTING_OPTIONS. */
  resolve(id: string, now: Date): ReportedFinding {
    const open = this.#open.get(id);
    if (open === undefined) {
      throw usageError("resolveFinding: the event is not that of an open finding of this CA");
    }
    this.#open.delete(id);
    return { ...open, number: this.#nextNumber(), state: "resolved", resolvedMs: now.getTime() };
  }

  #nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }
}

function lackedOf(found: FindingClass, kinds: readonly EventKind[]): readonly EventKind[] {
  if (found === "missing") return kinds;
  return found === "state" ? kinds.slice(-1) : [];
}

function detailOf(
  found: FindingClass,
  missing: readonly EventKind[],
  kinds: readonly EventKind[],
): string | undefined {
  const noun = "journal";
  const details: Readonly<Record<FindingClass, string | undefined>> = {
    missing: undefined,
    state: findingDetails.state(noun, missing),
    changed: findingDetails.changed(noun),
    unknown: findingDetails.unknown(99),
    deleted: findingDetails.deleted(noun, kinds.at(-1) ?? "it"),
  };
  return details[found];
}
