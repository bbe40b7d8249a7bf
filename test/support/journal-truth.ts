import { hash } from "node:crypto";
import type { CertwireEvent, EventKind } from "../../src/events/event.ts";
import { chainStart } from "../../src/journal/chain.ts";

/** What a journal records, as a test draws it. */
export type RecordPlan =
  | { readonly do: "issue" | "change" | "overflow" | "doubt" }
  | { readonly do: "crl"; readonly events: number }
  | { readonly do: "damage"; readonly records: number };

/** One start of a CA. */
export interface EpochPlan {
  readonly records: readonly RecordPlan[];
  /** `late`: an event comes after the seal, so there is a second seal. */
  readonly end: "clean" | "late" | "killed";
  /** True if all segments of the next epoch vanish before they are read. */
  readonly isNextMissing: boolean;
}

/** A number of an epoch and the events that have it; no main event for a seal or a damaged record. */
export interface TrueRecord {
  readonly sequence: number;
  readonly events: readonly CertwireEvent[];
  /** Events with an index of the record's own, all of which it needs. */
  readonly main: readonly CertwireEvent[];
}

/** A gap event and the numbers that it accounts for. */
export interface TrueGap {
  readonly event: CertwireEvent;
  readonly from: number;
  readonly to: number;
}

/** One epoch as it really was. */
export interface TrueEpoch {
  readonly number: number;
  readonly records: readonly TrueRecord[];
  readonly gaps: readonly TrueGap[];
  readonly stopped: CertwireEvent | undefined;
}

/** Plays a journal: the numbers, events and gaps that exit module, writer and reader would make. */
export class JournalTruth {
  readonly epochs: TrueEpoch[] = [];
  readonly #ca: string;
  #time: number;
  #number = 0;

  /** Two journals of one test have different names; the times of the second begin `startMs` later. */
  constructor(ca: string, plans: readonly EpochPlan[], startMs = 0) {
    this.#ca = ca;
    this.#time = Date.UTC(2026, 0, 1) + startMs;
    for (const plan of plans) {
      this.#number += 1;
      this.epochs.push(new EpochPlay(this, this.#number, plan).play());
      if (plan.isNextMissing) this.#number += 1;
    }
  }

  /** All events in the order in which the service publishes them. */
  get events(): CertwireEvent[] {
    return this.epochs.flatMap(({ records, gaps }) => {
      const found = gaps.map(({ event }) => event);
      const all = [...records.flatMap(({ events }) => events), ...found];
      return [...new Set(all)].toSorted((a, b) => (a.recordedtime < b.recordedtime ? -1 : 1));
    });
  }

  epochId(epoch: number): string {
    const id = `${Buffer.from(this.#ca).toString("hex")}${String(epoch).padStart(32, "0")}`;
    return `${id.slice(0, 2)}${id.slice(-30)}`;
  }

  event(
    epoch: number,
    sequence: number,
    index: number,
    kind: EventKind,
    { hashes, ...data }: { readonly hashes?: object } = {},
  ): CertwireEvent {
    this.#time += 1000;
    const time = new Date(this.#time).toISOString();
    const epochId = this.epochId(epoch);
    const padded = [String(epoch).padStart(10, "0"), String(sequence).padStart(20, "0")];
    return {
      specversion: "1.0",
      id: `${epochId}-${sequence}-${index}`,
      source: `urn:certwire:ca:${this.#ca}`,
      type: `io.certwire.${kind}.v1`,
      time,
      datacontenttype: "application/json",
      dataschema: `urn:certwire:schema:${kind}:v1`,
      sequence: padded.join("-"),
      partitionkey: `${this.#ca}:${sequence % 7}`,
      recordedtime: time,
      ...hashes,
      data: { ca: { id: this.#ca }, ...data },
    };
  }
}

class EpochPlay {
  /** Chain value after the record with the number `#chained`. */
  #chain: string;
  #before = "";
  #chained = 1;

  readonly #truth: JournalTruth;
  readonly #number: number;
  readonly #plan: EpochPlan;
  readonly #records: TrueRecord[] = [];
  readonly #gaps: TrueGap[] = [];
  /** The EPOCH frame has 1. */
  #sequence = 1;

  constructor(truth: JournalTruth, number: number, plan: EpochPlan) {
    this.#truth = truth;
    this.#number = number;
    this.#plan = plan;
    this.#chain = chainStart(truth.epochId(number), number);
  }

  play(): TrueEpoch {
    this.#record("ca.started");
    for (const plan of this.#plan.records) this.#play(plan);
    const stopped = this.#end();
    return { number: this.#number, records: this.#records, gaps: this.#gaps, stopped };
  }

  #play(plan: RecordPlan): void {
    switch (plan.do) {
      case "issue":
        return void this.#record("certificate.issued");
      case "change":
        return this.#change();
      case "crl":
        return this.#crl(plan.events);
      case "damage":
        return this.#damage(plan.records);
      case "overflow":
        return void this.#record("journal.gap", { reason: "disk-full", count: "3" });
      case "doubt":
        return this.#doubt();
    }
  }

  #record(kind: EventKind, data: object = {}): CertwireEvent {
    this.#sequence += 1;
    const event = this.#event(this.#sequence, 0, kind, data);
    this.#add([event]);
    return event;
  }

  #change(): void {
    this.#sequence += 1;
    const changed = this.#event(this.#sequence, 65_534, "ca.changed");
    const main = this.#event(this.#sequence, 0, "certificate.issued");
    this.#add([changed, main], [main]);
  }

  #crl(count: number): void {
    this.#sequence += 1;
    const older = { index: 0, kind: "base", number: "9" };
    const newest = Array.from({ length: count }, (_, at) => ({ index: at, number: "12" }));
    // The index of an event is the place in this list, not the CA's own index of the CRL.
    const all = [older, ...newest];
    this.#add(
      newest.map((crl) => {
        const current = all.filter((other) => other !== crl);
        return this.#event(this.#sequence, all.indexOf(crl), "crl.issued", { crl, current });
      }),
    );
  }

  /** A damaged range is found by the sound record after it. */
  #damage(records: number): void {
    const from = this.#sequence + 1;
    for (let count = 0; count < records; count += 1) {
      this.#sequence += 1;
      this.#hashesAt(this.#sequence);
      this.#add([]);
    }
    this.#found("corrupt", from, this.#sequence);
    this.#record("certificate.issued");
  }

  /**
   * After a failed flush the writer names the records before it, which are in doubt: that accounts for none of them. Those
   * that a power cut did take are damage, which the reader reports.
   */
  #doubt(): void {
    const [from, to] = [this.#sequence, this.#sequence];
    this.#record("journal.gap", gapData("flush-error", from, to));
  }

  #end(): CertwireEvent | undefined {
    const { end, isNextMissing } = this.#plan;
    const stopped = end === "killed" ? undefined : this.#record("ca.stopped");
    if (stopped !== undefined) this.#seal();
    if (end === "late") {
      this.#record("certificate.issued");
      this.#seal();
    }
    if (end === "killed") {
      this.#sequence += 1;
      this.#found("unclean-stop", this.#sequence);
    }
    if (isNextMissing) this.#found("missing-segment", this.#sequence + 1);
    return stopped;
  }

  #seal(): void {
    this.#sequence += 1;
    this.#add([]);
  }

  #found(reason: string, from: number, to?: number): void {
    const event = this.#event(from, 65_535, "journal.gap", gapData(reason, from, to));
    this.#gaps.push({ event, from, to: to ?? Number.POSITIVE_INFINITY });
  }

  #event(sequence: number, index: number, kind: EventKind, data = {}): CertwireEvent {
    const hashes = index !== 65_535 && { hashes: this.#hashesAt(sequence) };
    return this.#truth.event(this.#number, sequence, index, kind, { ...data, ...hashes });
  }

  /** A chain as a journal has it, over numbers alone. */
  #hashesAt(sequence: number): object {
    if (sequence > this.#chained) {
      this.#before = this.#chain;
      this.#chain = hash("sha256", `${this.#before}${sequence}`);
      this.#chained = sequence;
    }
    return { previoushash: this.#before, recordhash: this.#chain };
  }

  #add(events: readonly CertwireEvent[], main = events): void {
    this.#records.push({ sequence: this.#sequence, events, main });
  }
}

function gapData(reason: string, from: number, to?: number): object {
  return {
    reason,
    firstSequence: String(from),
    ...(to !== undefined && { lastSequence: String(to) }),
  };
}
