import type { EventLog } from "../event-log/event-log.ts";
import type { HealthCode } from "../health/reasons.ts";
import { formatDuration } from "../units.ts";
import type { Observation, SinkView } from "./live-status.ts";
import { type WatchStatusOptions, watchStatus } from "./watch-status.ts";
import { Watermark } from "./watermark.ts";

/** What the task reads, and where it writes. */
export interface EventLogTaskOptions extends Omit<WatchStatusOptions, "readsAtEnd"> {
  readonly eventLog: EventLog;
}

/** Reports what becomes of the service in the event log of Windows until the signal is aborted, and once more then. */
export async function keepEventLog(
  { eventLog, ...options }: EventLogTaskOptions,
  signal: AbortSignal,
): Promise<void> {
  const watch = new EventLogWatch(eventLog);
  const take = (found: Observation, isLast: boolean) => watch.take(found, isLast);
  await watchStatus({ ...options, readsAtEnd: true }, take, signal);
}

/** Reasons of the state of health with which a sink publishes nothing. */
const downCodes: ReadonlySet<string> = new Set<HealthCode>([
  "sink-unreachable",
  "sink-refused",
  "sink-busy",
  "sink-blocked",
]);

/** How long a sink is down before that is reported, in ms. */
const downMs = 5 * 60_000;

/** A sink that publishes nothing, in ms since 1970. */
interface Outage {
  readonly sinceMs: number;
  isReported: boolean;
  /** When it was first seen to be over; absent while it goes on. */
  endMs?: number;
}

/** Compares what is observed with what it observed before, and reports what is new. */
export class EventLogWatch {
  readonly #eventLog: EventLog;
  readonly #outages = new Map<string, Outage>();
  /** Dead letters by sink, and gaps by reason, as far as they were reported. */
  readonly #reported = new Map<string, number>();
  readonly #fill = new Watermark(0.8, 0.75);
  #isFillDue = false;

  constructor(eventLog: EventLog) {
    this.#eventLog = eventLog;
  }

  /** `isLast`: the sinks are closed. Default false. */
  take({ status, views, gaps }: Observation, isLast = false): void {
    const nowMs = Date.parse(status.time);
    for (const view of views) {
      // One that is closed has no trouble any more, but is not back.
      if (!isLast) this.#takeOutage(view.stats.sink, status.reasons, nowMs);
      this.#takeDeadLetters(view);
    }
    this.#takeGaps(gaps);
    this.#takeJournal(status.journal);
  }

  #takeOutage(sink: string, reasons: Observation["status"]["reasons"], nowMs: number): void {
    const found = reasons.filter((each) => each.sink === sink && downCodes.has(each.code));
    const known = this.#outages.get(sink);
    const [worst] = found;
    if (worst === undefined) return this.#takeEnd(sink, known, nowMs);
    const sinces = found.map(({ since }) => (since === undefined ? nowMs : Date.parse(since)));
    const outage = known ?? { sinceMs: Math.min(nowMs, ...sinces), isReported: false };
    delete outage.endMs;
    this.#outages.set(sink, outage);
    const forMs = nowMs - outage.sinceMs;
    if (outage.isReported || forMs < downMs) return;
    const texts = [sink, formatDuration(forMs), worst.detail ?? worst.meaning];
    outage.isReported = this.#eventLog.report("sink-down", texts, sink);
  }

  #takeEnd(sink: string, outage: Outage | undefined, nowMs: number): void {
    if (outage === undefined) return;
    outage.endMs ??= nowMs;
    const texts = [sink, formatDuration(outage.endMs - outage.sinceMs)];
    // One that the log has no space for now is not over until it has.
    const isDone = !outage.isReported || this.#eventLog.report("sink-back", texts, sink);
    if (isDone) this.#outages.delete(sink);
  }

  #takeDeadLetters({ stats: { sink, deadLetters } }: SinkView): void {
    const count = Object.values(deadLetters).reduce((sum, each) => sum + each, 0);
    this.#takeCount("dead-letters", sink, count);
  }

  #takeGaps(gaps: Observation["gaps"]): void {
    for (const [reason, count] of gaps) {
      // That alone is not a loss.
      if (reason !== "unclean-stop") this.#takeCount("gap", reason, count);
    }
  }

  #takeCount(entry: "dead-letters" | "gap", subject: string, count: number): void {
    const key = `${entry} ${subject}`;
    if (count <= (this.#reported.get(key) ?? 0)) return;
    const isReported = this.#eventLog.report(entry, [subject, String(count)], subject);
    if (isReported) this.#reported.set(key, count);
  }

  #takeJournal(journal: Observation["status"]["journal"]): void {
    if (journal === undefined || journal.capacityBytes <= 0) return;
    const { directory, bytes, capacityBytes } = journal;
    const fill = bytes / capacityBytes;
    if (this.#fill.isCrossedBy(fill)) this.#isFillDue = true;
    if (fill < 0.8) this.#isFillDue = false;
    if (!this.#isFillDue) return;
    const texts = [directory, String(Math.floor(fill * 100))];
    this.#isFillDue = !this.#eventLog.report("journal-fills-up", texts);
  }
}
