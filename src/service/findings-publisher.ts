import type { Logger } from "pino";
import { clock } from "../clock.ts";
import type { ResolvedConfig } from "../config/load.ts";
import type { SinkConfiguration } from "../config/sink-entry.ts";
import { describeError } from "../errors/describe-error.ts";
import { shrinkEvent } from "../events/shrink-event.ts";
import type { UnpublishedFacts } from "../health/facts.ts";
import { logLine } from "../log/log-line.ts";
import { PipelineMonitor } from "../pipeline/monitor.ts";
import { pause } from "../pipeline/waiting.ts";
import { LiveBacklog } from "../reconcile/live-backlog.ts";
import { Pace } from "../reconcile/pace.ts";
import { FindingsPlace, publishFindings } from "../reconcile/publish-findings.ts";
import type { ReportedFindings } from "../reconcile/reported-findings.ts";
import { DeadLetterFile, deadLetterLimits } from "../state/dead-letter.ts";
import { reconcileSinkName, type StateLayout } from "../state/layout.ts";
import { readRoutedKinds } from "./read-routed-kinds.ts";

/** What a sink needs to get the findings. */
export interface FindingsPublisherOptions {
  readonly config: Pick<ResolvedConfig, "journal" | "events">;
  readonly sink: SinkConfiguration;
  readonly reported: ReportedFindings;
  readonly layout: StateLayout;
  readonly log: Logger;
}

/** Findings per second: far below what any sink takes of live events. */
const findingsPerSecond = 100;
/** How long a sink is left alone after an error of the state directory, in ms. */
const sinkAgainMs = 60_000;

/** Publishes the reports of findings to one sink, with a checkpoint of its own. */
export class FindingsPublisher {
  readonly #options: FindingsPublisherOptions;
  readonly #log: Logger;
  readonly #name: string;
  #place: FindingsPlace | undefined;
  /** Since when there are reports that it does not have, in ms since 1970. */
  #waitingMs: number | undefined;
  #monitor: PipelineMonitor | undefined;
  #error: string | undefined;

  constructor(options: FindingsPublisherOptions) {
    this.#options = options;
    this.#name = reconcileSinkName(options.sink.options.name);
    this.#log = options.log.child({ sink: this.#name });
  }

  /** Up to which number the sink has the reports; 0 while that is not known. */
  get number(): number {
    return this.#place?.number ?? 0;
  }

  /** What the sink does not have yet. */
  get facts(): UnpublishedFacts {
    const { sink, reported } = this.#options;
    const [trouble] = this.#monitor?.troubles().troubles ?? [];
    const error = this.#error ?? trouble?.error;
    return {
      sink: sink.options.name,
      reports: reported.after(this.number).length,
      ...(this.#waitingMs !== undefined && { sinceMs: this.#waitingMs }),
      ...(error !== undefined && { error }),
    };
  }

  /** Publishes until the signal is aborted. Never rejects: what fails is logged and tried again. */
  async keep(signal: AbortSignal): Promise<void> {
    const { reported, layout, sink } = this.#options;
    const path = layout.reconcile.reportedTo(sink.options.name);
    while (!signal.aborted) {
      try {
        this.#place ??= await FindingsPlace.open(path, reported.numbers);
        if (this.#place.isKept && reported.after(this.number).length === 0) {
          this.#waitingMs = undefined;
          await reported.changed(signal);
        } else {
          this.#waitingMs ??= clock.time();
          await this.#publish(this.#place, signal);
        }
        this.#error = undefined;
      } catch (error) {
        this.#waitingMs ??= clock.time();
        this.#error = describeError(error).error;
        logLine(this.#log, "cannot publish findings", describeError(error));
        await pause(sinkAgainMs, signal);
      }
    }
  }

  async #publish(place: FindingsPlace, signal: AbortSignal): Promise<void> {
    const { config, layout, reported, sink: configured } = this.#options;
    // The live events have the sink's own place, where it takes one writer only.
    const target = { ...configured, ...configured.apart("reconcile") };
    const live = new LiveBacklog(
      config.journal.directory,
      layout.checkpoint(configured.options.name),
    );
    const pace = new Pace({
      perSecond: findingsPerSecond,
      isLiveBehind: () => live.isBehind(),
      sleep: (ms, each) => clock.delay(ms, { signal: each }),
    });
    const { limits, filter, redactor, router, routing } = target;
    const letters = layout.deadLetters(this.#name);
    const { source, typePrefix } = config.events;
    const monitor = new PipelineMonitor(this.#log);
    this.#monitor = monitor;
    await publishFindings(
      { reported, place, events: { source, typePrefix }, filter, pace },
      {
        sink: await target.create(this.#log),
        limits,
        shrink: shrinkEvent,
        redactor,
        router,
        deadLetters: new DeadLetterFile(letters, deadLetterLimits(limits)),
        routedKinds: await readRoutedKinds({ name: this.#name, routing }, layout, this.#log),
        monitor,
      },
      signal,
    );
    this.#monitor = undefined;
  }
}
