import { hostname } from "node:os";
import { clock } from "../clock.ts";
import { packageVersion } from "../files/package-version.ts";
import type {
  CertificateFact,
  HealthFacts,
  HealthLimits,
  ReconcileFacts,
  SinkFacts,
} from "../health/facts.ts";
import { assessHealth } from "../health/health.ts";
import { type DiskFindings, type DiskPlaces, inspectDisk } from "../health/on-disk.ts";
import type { Status } from "../health/status.ts";
import type { JournalFrame } from "../journal/frame.ts";
import { summarize } from "../journal-tools/duration-summary.ts";
import type { NativeWriterTimes } from "../native/addon.ts";
import type { PipelineTroubles } from "../pipeline/monitor.ts";
import type { EventTallyCounts } from "../pipeline/tally.ts";
import type { SinkStats } from "./sink-stats.ts";

/** What one sink of a running service says of itself. */
export interface SinkView {
  readonly stats: SinkStats;
  readonly troubles: PipelineTroubles & { readonly isBlocked: boolean };
  readonly tally: EventTallyCounts;
  /** The newest frame that its reader has read. */
  readonly newest: JournalFrame | undefined;
  readonly writerTimes: NativeWriterTimes | undefined;
  /** End of the CA's certificate by the newest event that it has read, in ms since 1970. */
  readonly caNotAfterMs: number | undefined;
}

/** What was found at one time. */
export interface Observation {
  readonly status: Status;
  readonly views: readonly SinkView[];
  /** Different gaps that the sinks have read, by reason. */
  readonly gaps: ReadonlyMap<string, number>;
  /** Files by the sinks that use them; those of no sink under an empty name. */
  readonly certificates: ReadonlyMap<string, readonly CertificateFact[]>;
  /** What the brokers of a sink have shown. */
  readonly brokerCertificates: ReadonlyMap<string, readonly CertificateFact[]>;
  /** The scheduled comparison with the CA's database; absent if there is none. */
  readonly reconcile?: ReconcileFacts;
}

/** Where a live status takes its facts from. */
export interface LiveStatusOptions {
  readonly places: () => DiskPlaces;
  readonly views: () => readonly SinkView[];
  /** Different gaps that the sinks have read, by reason. Default none. */
  readonly gaps?: () => Observation["gaps"];
  readonly limits: HealthLimits;
  /** What the brokers of a sink have shown. Default nothing. */
  readonly brokerCertificates?: () => Observation["brokerCertificates"];
  /** The scheduled comparison with the CA's database. Default none. */
  readonly reconcile?: () => ReconcileFacts | undefined;
  /** How old an answer may be before the disk is read again, in ms. Default 1000. */
  readonly maxAgeMs?: number;
}

/**
 * The status of a running service: what its pipelines say, and what journal and state show on disk. Any number of
 * callers make it read the disk at most once in `maxAgeMs`.
 */
export class LiveStatus {
  readonly #options: LiveStatusOptions;
  readonly #version = packageVersion();
  readonly #startedTime = new Date(clock.startedMs).toISOString();
  readonly #blockedSince = new Map<string, number>();
  #last: JournalFrame | undefined;
  /** When the newest gap was recorded or read, in ms since 1970; the journal shows it only when it is first read. */
  #gapMs = 0;
  #observation: Promise<Observation> | undefined;
  #observedAt = Number.NEGATIVE_INFINITY;

  constructor(options: LiveStatusOptions) {
    this.#options = options;
  }

  /** Never rejects. `isFresh`: nothing in the answer may be older than the call. Default false. */
  async observe(isFresh = false): Promise<Observation> {
    if (isFresh) {
      await this.#observation;
      this.#observedAt = Number.NEGATIVE_INFINITY;
    }
    return this.#current();
  }

  #current(): Promise<Observation> {
    const now = clock.now();
    if (this.#observation && now - this.#observedAt < (this.#options.maxAgeMs ?? 1000)) {
      return this.#observation;
    }
    this.#observedAt = Number.POSITIVE_INFINITY;
    this.#observation = this.#observe().finally(() => {
      this.#observedAt = clock.now();
    });
    return this.#observation;
  }

  async #observe(): Promise<Observation> {
    const { limits } = this.#options;
    const places = this.#options.places();
    const nowMs = clock.time();
    const disk = await inspectDisk(places, nowMs, this.#furthest());
    this.#last = disk.last;
    const views = this.#options.views();
    const reconcile = this.#options.reconcile?.();
    const facts = { ...this.#facts(disk.facts, views, nowMs), ...(reconcile && { reconcile }) };
    const { state, reasons } = assessHealth(facts, nowMs, limits);
    const certificates = new Map(places.sinks.map((sink) => [sink.name, sink.certificates]));
    if (places.certificates.length > 0) certificates.set("", places.certificates);
    const brokerCertificates = this.#options.brokerCertificates?.() ?? new Map();
    const status: Status = {
      state,
      time: new Date(nowMs).toISOString(),
      service: {
        state: "running",
        version: this.#version,
        pid: process.pid,
        host: hostname(),
        startedTime: this.#startedTime,
      },
      reasons: [...reasons],
      ...(disk.journal && { journal: this.#withGap(withDurations(disk.journal, views)) }),
      sinks: withCounters(disk, views),
      ...(reconcile && { reconcile: reconcileStatus(reconcile) }),
    };
    const gaps = this.#options.gaps?.() ?? new Map();
    const found = { status, views, gaps, certificates, brokerCertificates };
    return reconcile === undefined ? found : { ...found, reconcile };
  }

  /** The newest frame of the journal that was read before now. */
  get newest(): JournalFrame | undefined {
    return this.#furthest();
  }

  #furthest(): JournalFrame | undefined {
    const frames = [...this.#options.views().map(({ newest }) => newest), this.#last];
    return frames
      .filter((frame) => frame !== undefined)
      .toSorted(compareFrames)
      .at(-1);
  }

  #facts(disk: HealthFacts, views: readonly SinkView[], nowMs: number): HealthFacts {
    const sinks = disk.sinks.map((facts) => {
      const view = views.find(({ stats }) => stats.sink === facts.name);
      return view === undefined ? facts : this.#sinkFacts(facts, view, nowMs);
    });
    const gapAges = views.flatMap(({ troubles }) => troubles.gapAgeMs ?? []);
    const gaps = [...gapAges.map((age) => nowMs - age), disk.journal?.gapMs ?? 0];
    this.#gapMs = Math.max(this.#gapMs, ...gaps);
    const gapMs = this.#gapMs;
    const { journal } = disk;
    return {
      ...disk,
      service: "running",
      sinks,
      ...(journal && { journal: { ...journal, ...(gapMs > 0 && { gapMs }) } }),
    };
  }

  #withGap(journal: NonNullable<Status["journal"]>): NonNullable<Status["journal"]> {
    if (this.#gapMs === 0) return journal;
    return { ...journal, newestGapTime: new Date(this.#gapMs).toISOString() };
  }

  #sinkFacts(facts: SinkFacts, { stats, troubles }: SinkView, nowMs: number): SinkFacts {
    const { name } = facts;
    if (!troubles.isBlocked) this.#blockedSince.delete(name);
    else if (!this.#blockedSince.has(name)) this.#blockedSince.set(name, nowMs);
    const since = this.#blockedSince.get(name);
    const { oldestUnacknowledged: oldest } = stats;
    return {
      ...facts,
      troubles: troubles.troubles,
      deadKinds: troubles.deadKinds,
      isCheckpointDamaged: false,
      ...(since !== undefined && { blockedForMs: nowMs - since }),
      ...(oldest !== undefined && { backlogMs: nowMs - Date.parse(oldest) }),
    };
  }
}

function compareFrames({ position: a }: JournalFrame, { position: b }: JournalFrame): number {
  return a.epochNumber - b.epochNumber || a.segment - b.segment || a.offset - b.offset;
}

function withCounters({ sinks }: DiskFindings, views: readonly SinkView[]): Status["sinks"] {
  return sinks.map((sink) => {
    const view = views.find(({ stats }) => stats.sink === sink.name);
    if (view === undefined) return sink;
    const { state, isConnected: connected } = view.stats;
    return { ...sink, state, connected, counters: countersOf(view) };
  });
}

function countersOf({ stats, tally }: SinkView): NonNullable<Status["sinks"][number]["counters"]> {
  const { acknowledgedEvents, acknowledgedBytes, skippedEvents, failures, inFlightEvents } = stats;
  return {
    acknowledgedEvents,
    acknowledgedBytes,
    skippedEvents,
    failedPublishes: Object.values(failures).reduce((sum, count) => sum + count, 0),
    inFlightEvents,
    lanes: stats.lanes,
    deadLetters: { ...stats.deadLetters },
    gaps: Object.fromEntries(tally.gaps),
  };
}

/** The durations of all that a reader has read, in place of those of the last few frames. */
function withDurations(
  journal: NonNullable<Status["journal"]>,
  views: readonly SinkView[],
): NonNullable<Status["journal"]> {
  const { durations: _, ...rest } = journal;
  const times = views.find(({ writerTimes }) => writerTimes !== undefined)?.writerTimes;
  if (times === undefined) return rest;
  const durations = {
    append: summarize(times.append),
    write: summarize(times.write),
    flush: summarize(times.flush),
  };
  return { ...rest, durations };
}

function reconcileStatus(facts: ReconcileFacts): NonNullable<Status["reconcile"]> {
  const { isRunning, mayRead, lastMs, rows, open, unlisted, nextMs, overdueMs } = facts;
  const timeOf = (ms: number): string => new Date(ms).toISOString();
  return {
    running: isRunning,
    ...(mayRead !== undefined && { mayRead }),
    ...(lastMs !== undefined && { lastTime: timeOf(lastMs) }),
    ...(rows !== undefined && { rows }),
    ...(open !== undefined && { open }),
    ...(unlisted !== undefined && { unlisted }),
    ...(nextMs !== undefined && { nextTime: timeOf(nextMs) }),
    ...(overdueMs !== undefined && { overdueTime: timeOf(overdueMs) }),
  };
}
