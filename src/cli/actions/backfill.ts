import { setTimeout as delay } from "node:timers/promises";
import { loadConfig, type ResolvedConfig } from "../../config/load.ts";
import type { SinkConfiguration } from "../../config/sink-entry.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { shrinkEvent } from "../../events/shrink-event.ts";
import { lockDirectory } from "../../files/directory-lock.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { PipelineMonitor } from "../../pipeline/monitor.ts";
import { type BackfillOptions, type BackfillPlan, planBackfill } from "../../reconcile/backfill.ts";
import { BackfillPlace } from "../../reconcile/backfill-place.ts";
import { ContentIndex } from "../../reconcile/content-index.ts";
import { JournalContents } from "../../reconcile/journal-contents.ts";
import { identifyBoth } from "../../reconcile/known-database.ts";
import { LiveBacklog } from "../../reconcile/live-backlog.ts";
import { Pace } from "../../reconcile/pace.ts";
import { runBackfill } from "../../reconcile/run-backfill.ts";
import { RunFile } from "../../reconcile/run-file.ts";
import { defaultSettleMs } from "../../reconcile/walk-database.ts";
import { DeadLetterFile, deadLetterLimits } from "../../state/dead-letter.ts";
import { stateLayout } from "../../state/layout.ts";
import { countOf, formatDuration } from "../../units.ts";
import { besideTheService } from "../beside-the-service.ts";
import type { DatabaseOptions } from "../database-options.ts";
import { exitCodes } from "../exit-codes.ts";
import { createLogger } from "../logger.ts";
import { openCaDatabase } from "../open-database.ts";
import { alignRows, say } from "../output.ts";
import { Progress } from "../progress.ts";
import { stopSignal } from "../stop-signal.ts";

/** The options of `certwire backfill`. */
export interface BackfillCommandOptions extends DatabaseOptions {
  readonly toSink: string;
  readonly fromRequest: number;
  readonly until?: Date;
  /** Events per second. */
  readonly rate: number;
  readonly plan?: true;
}

/** `certwire backfill`: publishes what the CA's database has and the journal lacks. */
export async function backfill(options: BackfillCommandOptions): Promise<void> {
  const { toSink, plan } = options;
  const database = openCaDatabase(options);
  const config = loadConfig(options.config, {
    isNeeded: ({ name }) => plan === undefined && name === toSink,
  });
  const sink = sinkNamed(config, toSink);
  const layout = stateLayout(config.state.directory);
  const { reconcile: paths } = layout;
  const lock = await lockDirectory(paths.directory, paths.lockName, "private");
  const signal = stopSignal();
  const progress = new Progress();
  try {
    const compared = {
      database,
      contents: await JournalContents.open(paths),
      journal: config.journal.directory,
    };
    const run = await RunFile.open(paths.run);
    const journalProgress = (records: number) =>
      progress.count(records, undefined, "records of the journal");
    const facts = await identifyBoth({ ...compared, run, journalProgress }, signal);
    const newest = (await database.newest(signal))?.context;
    if (options.fromRequest > (newest ?? 1)) {
      say(`the newest request of the database is ${newest ?? "not there: it is empty"}`);
    }
    const selection = { fromRequest: options.fromRequest, untilMs: options.until?.getTime() };
    const published = new ContentIndex(paths.published(toSink));
    const all: BackfillOptions = {
      ...compared,
      facts,
      published,
      selection,
      settleMs: defaultSettleMs,
      events: { ...config.events, detail: sink.options.detail },
      filter: sink.filter,
      pace: paceOf(options, config, sink),
      place: new BackfillPlace(paths.backfill(toSink), selection),
      run,
      progress: (requestId) => progress.count(requestId, newest, "requests"),
    };
    if (plan) {
      const planned = await planBackfill(all, options.fromRequest - 1, all.progress, signal);
      progress.end();
      const lines = planLines(planned, options, sink.filter.hasConditions);
      standardOutput().post(`${lines.join("\n")}\n`);
      return;
    }
    const path = layout.deadLetters(`backfill-${toSink}`);
    const { limits } = sink;
    const letters = new DeadLetterFile(path, deadLetterLimits(limits));
    await publish(all, sink, { path, letters, progress, level: config.log.level }, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.end();
    lock.release();
  }
  if (signal.aborted) process.exitCode = exitCodes.interrupted;
}

interface Output {
  /** Path of the dead letters. */
  readonly path: string;
  readonly letters: DeadLetterFile;
  readonly progress: Progress;
  readonly level: string;
}

async function publish(
  options: BackfillOptions,
  configured: SinkConfiguration,
  { path, letters, progress, level }: Output,
  signal: AbortSignal,
): Promise<void> {
  const target = besideTheService(configured, "backfill");
  const { name } = target.options;
  const log = createLogger(level === "debug" ? "debug" : "warn").child({ sink: name });
  const done = await runBackfill(
    options,
    {
      sink: await target.create(log),
      limits: target.limits,
      shrink: shrinkEvent,
      redactor: target.redactor,
      router: target.router,
      deadLetters: letters,
      monitor: new PipelineMonitor(log),
      drainTimeoutMs: target.replayDrainMs,
    },
    signal,
  );
  progress.end();
  const buried =
    done.deadLetters > 0 ? `, ${countOf(done.deadLetters, "dead letter")} in ${path}` : "";
  const rest = signal.aborted ? "; interrupted, the next run goes on from here" : "";
  say(`${countOf(done.events, "event")} published to ${name}${buried}${rest}`);
  if (done.deadLetters > 0) process.exitCode = exitCodes.deadLetters;
}

function paceOf(
  { rate, toSink }: BackfillCommandOptions,
  config: ResolvedConfig,
  sink: SinkConfiguration,
): Pace {
  const checkpoint = stateLayout(config.state.directory).checkpoint(toSink);
  const live = new LiveBacklog(config.journal.directory, checkpoint);
  return new Pace({
    perSecond: rate,
    // A sink that is disabled gets no live events.
    isLiveBehind: async () => sink.options.enabled && live.isBehind(),
    waiting: (isWaiting) => {
      if (isWaiting)
        say(`live events go first: waiting until the service has published them to ${toSink}`);
    },
    sleep: async (ms, signal) => {
      await delay(ms, undefined, { signal });
    },
  });
}

function sinkNamed({ sinks }: ResolvedConfig, name: string): SinkConfiguration {
  const sink = sinks.find(({ options }) => options.name === name);
  if (sink !== undefined) return sink;
  const names = sinks.map(({ options }) => options.name).join(", ");
  const hint = `The configuration has ${names}.`;
  throw new CertwireError("CERTWIRE_USAGE", `there is no sink "${name}"`, { hint });
}

/** A plan for people. `isFiltered`: true if the sink does not want every event. */
export function planLines(
  { requests, crls, events, kinds, history }: BackfillPlan,
  { toSink, rate }: Pick<BackfillCommandOptions, "toSink" | "rate">,
  isFiltered: boolean,
): string[] {
  if (events === 0) return [`nothing to publish to ${toSink}`];
  const rows = Object.entries(kinds).map(([kind, count]) => [`  ${kind}`, String(count)]);
  const about = [
    ...(requests > 0 ? [countOf(requests, "request")] : []),
    ...(crls > 0 ? [countOf(crls, "CRL")] : []),
  ];
  const takes = formatDuration(Math.ceil(events / rate) * 1000);
  return [
    `to ${toSink}: ${countOf(events, "event")} about ${about.join(" and ")}`,
    ...alignRows(rows),
    `${countOf(history, "event")} from before what the journal covers; at ${rate} events per second at least ${takes}`,
    ...(isFiltered
      ? [`fewer may be published: the "only" and "except" of the sink are not applied here`]
      : []),
  ];
}
