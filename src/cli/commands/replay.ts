import type { Command } from "commander";
import { loadConfig, type ResolvedConfig } from "../../config/load.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { CaIdMemory } from "../../exit/ca-id-memory.ts";
import type { CertwireEvent } from "../../exit/event.ts";
import { shrinkEvent } from "../../exit/shrink-event.ts";
import { DeadLetterFile } from "../../pipeline/dead-letter.ts";
import { InternalEvents } from "../../pipeline/internal-events.ts";
import { Pipeline } from "../../pipeline/pipeline.ts";
import { eventsOfFile } from "../../replay/event-file.ts";
import { eventsOfJournal } from "../../replay/journal-events.ts";
import { planReplay, type ReplayPlan } from "../../replay/plan.ts";
import { ReplaySource } from "../../replay/replay-source.ts";
import { deadLetterPath } from "../../service/service.ts";
import { createSink, type SinkConfiguration } from "../../sinks/registry.ts";
import { resolveStdoutSink, stdoutSinkOptions } from "../../sinks/stdout/options.ts";
import { exitCodes } from "../exit-codes.ts";
import { createLogger } from "../logger.ts";
import { alignRows, say } from "../output.ts";
import { addSelectionOptions, type SelectionOptions, selectionOf } from "../selection-options.ts";
import { stopSignal } from "../stop-signal.ts";

interface ReplayOptions extends SelectionOptions {
  readonly journal?: string;
  readonly config?: string;
  readonly toSink?: string;
  readonly stdout?: true;
  readonly dryRun?: true;
}

/** `certwire replay`: sends recorded events again. */
export function addReplayCommand(program: Command): void {
  const command = program
    .command("replay")
    .description("send recorded events again: same ids, marked as replayed, checkpoints untouched")
    .argument("[file]", "NDJSON file of events, or a dead-letter file")
    .option("-j, --journal <directory>", "journal directory; default: that of --config")
    .option("-c, --config <file>", "configuration file")
    .option("--to-sink <name>", "send to this sink of the configuration, enabled or not")
    .option("--stdout", "write one event a line to standard output");
  addSelectionOptions(command)
    .option("--dry-run", "print the plan only")
    .addHelpText("after", help)
    .action(replay);
}

const help = `
The plan is printed on standard error before anything is sent.

Examples:
  certwire replay --journal var/journal --type certificate.issued --stdout
  certwire replay events-00000001.ndjson --config certwire.jsonc --to-sink kafka --dry-run
  certwire replay --config certwire.jsonc --from 2026-01-31 --to 2026-02-01 --to-sink rabbit`;

async function replay(file: string | undefined, options: ReplayOptions): Promise<void> {
  const { toSink } = options;
  const selection = selectionOf(options);
  const config =
    options.config === undefined
      ? undefined
      : loadConfig(options.config, { isNeeded: ({ name }) => name === toSink });
  const target = options.dryRun && !toSink ? undefined : chooseTarget(options, config);
  const signal = stopSignal();
  const problems: unknown[] = [];
  const source = await chooseSource(file, options, config, signal, (error) => problems.push(error));
  const plan = await planReplay(source.events(), selection);
  sayPlan(source.name, options, plan, problems.length);
  if (options.dryRun || target === undefined || signal.aborted) return;
  const sent = await send(new ReplaySource(source.events(), selection), target, config, signal);
  say(`${sent} of ${plan.selected} events acknowledged`);
  if (sent < plan.selected) process.exitCode = exitCodes.interrupted;
}

interface Source {
  readonly name: string;
  /** Begins at the oldest event with each call. */
  readonly events: () => AsyncIterable<CertwireEvent>;
}

async function chooseSource(
  file: string | undefined,
  { journal }: ReplayOptions,
  config: ResolvedConfig | undefined,
  signal: AbortSignal,
  undecodable: (error: unknown) => void,
): Promise<Source> {
  if (file !== undefined && journal !== undefined)
    throw usage("FILE and --journal exclude each other");
  if (file !== undefined) return { name: file, events: () => eventsOfFile(file) };
  const directory = journal ?? config?.journal.directory;
  if (directory === undefined) throw usage("name a FILE, --journal or --config");
  const caIds = await CaIdMemory.read(config?.state.directory);
  const options = { events: config?.events ?? {}, caIds, undecodable };
  return {
    name: `journal ${directory}`,
    events: () => eventsOfJournal(directory, options, signal),
  };
}

function chooseTarget(
  { toSink, stdout }: ReplayOptions,
  config: ResolvedConfig | undefined,
): SinkConfiguration {
  if ((toSink === undefined) === (stdout === undefined))
    throw usage("choose --to-sink NAME or --stdout");
  if (stdout) {
    const entry = stdoutSinkOptions.parse({ name: "stdout", url: "stdout:" });
    return { kind: "stdout", options: resolveStdoutSink(entry) };
  }
  if (config === undefined) throw usage("--to-sink needs --config");
  const sink = config.sinks.find(({ options }) => options.name === toSink);
  if (sink) return sink;
  const names = config.sinks.map(({ options }) => options.name);
  throw usage(`no sink "${toSink}"`, `Sinks of the configuration: ${names.join(", ")}.`);
}

function usage(message: string, hint?: string): CertwireError {
  return new CertwireError("CERTWIRE_USAGE", message, hint === undefined ? {} : { hint });
}

function sayPlan(
  source: string,
  options: ReplayOptions,
  plan: ReplayPlan,
  undecodable: number,
): void {
  const { from, to, requestId = [], type = [] } = options;
  const filters = [
    ...(from ? [`from ${from.toISOString()}`] : []),
    ...(to ? [`to ${to.toISOString()}`] : []),
    ...requestId.map((id) => `request ${id}`),
    ...type,
  ];
  const kinds = [...plan.kinds].map(([kind, count]) => `${count} ${kind}`);
  say("replay plan");
  const rows = [
    ["source", `${source}, ${plan.total} events`],
    ["filter", filters.length > 0 ? filters.join(", ") : "none"],
    ["events", [String(plan.selected), ...kinds].join(", ")],
    ["times", plan.firstTime ? `${plan.firstTime} to ${plan.lastTime}` : "none"],
    ["target", options.toSink ? `sink ${options.toSink}` : "standard output"],
    ["marks", "replayed: true, ids unchanged, checkpoints untouched"],
  ];
  if (undecodable > 0)
    rows.push(["warning", `${undecodable} records cannot be decoded and stay out`]);
  for (const row of alignRows(rows)) say(`  ${row}`);
}

/** Publishes everything; resolves to the number of acknowledged events. */
async function send(
  source: ReplaySource,
  target: SinkConfiguration,
  config: ResolvedConfig | undefined,
  signal: AbortSignal,
): Promise<number> {
  const { name, pipeline: limits } = target.options;
  const log = createLogger(config?.log.level === "debug" ? "debug" : "warn");
  const sinkLog = log.child({ sink: name });
  const events = new InternalEvents(sinkLog);
  const pipeline = new Pipeline({
    source,
    sink: await createSink(target, sinkLog),
    limits,
    shrink: shrinkEvent,
    deadLetters: new DeadLetterFile(
      deadLetterPath(config?.state.directory ?? ".", `replay-${name}`),
    ),
    events,
  });
  await pipeline.run(signal);
  return pipeline.stats().acknowledgedEvents;
}
