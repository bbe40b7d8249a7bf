import { loadConfig, type ResolvedConfig } from "../../config/load.ts";
import { type SinkConfiguration, sinkOf } from "../../config/sink-entry.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { CertwireEvent } from "../../events/event.ts";
import { shrinkEvent } from "../../events/shrink-event.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { PipelineMonitor } from "../../pipeline/monitor.ts";
import { Pipeline } from "../../pipeline/pipeline.ts";
import { eventsOfFile, type Skipped } from "../../sources/event-file.ts";
import { eventsOfJournal } from "../../sources/journal-events.ts";
import { planReplay } from "../../sources/replay-plan.ts";
import { ReplaySource } from "../../sources/replay-source.ts";
import { DeadLetterFile, deadLetterLimits } from "../../state/dead-letter.ts";
import { stateLayout } from "../../state/layout.ts";
import { besideTheService } from "../beside-the-service.ts";
import { readConfiguredMemory } from "../chosen-journal.ts";
import { exitCodes } from "../exit-codes.ts";
import { createLogger } from "../logger.ts";
import { say } from "../output.ts";
import { type SkippedCounts, sayPlan } from "../replay-plan.ts";
import { type SelectionOptions, selectionOf } from "../selection-options.ts";
import { stopSignal } from "../stop-signal.ts";

/** The options of `certwire replay`. */
export interface ReplayOptions extends SelectionOptions {
  readonly journal?: string;
  readonly config?: string;
  readonly toSink?: string;
  readonly stdout?: true;
  readonly dryRun?: true;
}

/** `certwire replay`: sends recorded events again. */
export async function replay(file: string | undefined, options: ReplayOptions): Promise<void> {
  const { toSink, dryRun } = options;
  const selection = selectionOf(options);
  const config =
    options.config === undefined
      ? undefined
      : loadConfig(options.config, { isNeeded: ({ name }) => !dryRun && name === toSink });
  const target = dryRun && !toSink ? undefined : chooseTarget(options, config);
  const signal = stopSignal();
  const source = await chooseSource(file, options, config, target, signal);
  const skipped: SkippedCounts = { line: 0, record: 0 };
  const count = (what: Skipped): void => void (skipped[what] += 1);
  const plan = await planReplay(source.events(count), selection, target?.filter);
  if (signal.aborted) {
    process.exitCode = exitCodes.interrupted;
    return;
  }
  sayPlan(source.name, options, plan, skipped);
  if (dryRun || target === undefined) return;
  const events = new ReplaySource(source.events(ignore), selection, target.filter);
  const { acknowledged, deadLetters, hasReaderGone } = await send(events, target, config, signal);
  const buried =
    deadLetters.count > 0 ? `, ${deadLetters.count} dead letters in ${deadLetters.path}` : "";
  say(`${acknowledged} of ${plan.selected} events acknowledged${buried}`);
  events.throwIfFailed();
  if (deadLetters.count > 0) process.exitCode = exitCodes.deadLetters;
  if (hasReaderGone || acknowledged + deadLetters.count >= plan.selected) return;
  if (signal.aborted) process.exitCode = exitCodes.interrupted;
  else if (standardOutput().failure === undefined) throw fewerThanPlanned(source.name);
}

function fewerThanPlanned(source: string): CertwireError {
  const hint = "Replay again once nothing writes to the source, or deletes from it.";
  return new CertwireError("CERTWIRE_EVENTS_UNREADABLE", `${source} lost events meanwhile`, {
    hint,
  });
}

interface Source {
  readonly name: string;
  /** The events from the oldest one, read again at each call; `skip` gets what is left out. */
  readonly events: (skip: (what: Skipped) => void) => AsyncIterable<CertwireEvent>;
}

async function chooseSource(
  file: string | undefined,
  { journal }: ReplayOptions,
  config: ResolvedConfig | undefined,
  target: SinkConfiguration | undefined,
  signal: AbortSignal,
): Promise<Source> {
  if (file !== undefined && journal !== undefined)
    throw usage("FILE and --journal cannot be used together");
  if (file !== undefined) {
    return { name: file, events: (skip) => eventsOfFile(file, { skip }, signal) };
  }
  const caMemory = await readConfiguredMemory(config);
  const events = { ...config?.events, detail: target?.options.detail };
  const directory = journal ?? config?.journal.directory;
  if (directory === undefined) throw usage("give a FILE, --journal or --config");
  return {
    name: `journal ${directory}`,
    events: (skip) =>
      eventsOfJournal(directory, { events, caMemory, undecodable: () => skip("record") }, signal),
  };
}

function chooseTarget(
  { toSink, stdout }: ReplayOptions,
  config: ResolvedConfig | undefined,
): SinkConfiguration {
  if ((toSink === undefined) === (stdout === undefined))
    throw usage("choose --to-sink NAME or --stdout");
  if (stdout) return sinkOf({ name: "stdout", url: "stdout:" });
  if (config === undefined) throw usage("--to-sink needs --config");
  const sink = config.sinks.find(({ options }) => options.name === toSink);
  if (sink) return besideTheService(sink, "replay");
  const names = config.sinks.map(({ options }) => options.name);
  throw usage(`there is no sink "${toSink}"`, `The configuration has ${names.join(", ")}.`);
}

function usage(message: string, hint?: string): CertwireError {
  return new CertwireError("CERTWIRE_USAGE", message, hint === undefined ? {} : { hint });
}

/** Publishes the events of the source to the target until the source ends or a signal stops it. */
async function send(
  source: ReplaySource,
  target: SinkConfiguration,
  config: ResolvedConfig | undefined,
  signal: AbortSignal,
) {
  const { limits, redactor, router, replayDrainMs } = target;
  const { name } = target.options;
  const log = createLogger(config?.log.level === "debug" ? "debug" : "warn");
  const sinkLog = log.child({ sink: name });
  const path = stateLayout(config?.state.directory ?? ".").deadLetters(`replay-${name}`);
  const pipeline = new Pipeline({
    source,
    sink: await target.create(sinkLog),
    limits,
    shrink: shrinkEvent,
    ...(redactor && { redactor }),
    ...(router && { router }),
    deadLetters: new DeadLetterFile(path, deadLetterLimits(limits)),
    monitor: new PipelineMonitor(sinkLog),
    // A short drain loses nothing: the next replay writes the lines that are missing.
    ...(replayDrainMs !== undefined && { drainTimeoutMs: replayDrainMs }),
  });
  const output = standardOutput();
  await pipeline.run(AbortSignal.any([signal, output.ended]));
  const { acknowledgedEvents, deadLetters } = pipeline.stats();
  const count = Object.values(deadLetters).reduce((sum, each) => sum + each, 0);
  return {
    acknowledged: acknowledgedEvents,
    deadLetters: { count, path },
    // The reader of a pipe may close it early: `certwire replay --stdout | head`.
    hasReaderGone: output.ended.aborted && output.failure === undefined,
  };
}

function ignore(): void {}
