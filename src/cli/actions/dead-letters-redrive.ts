import { basename } from "node:path";
import { loadConfig, type ResolvedConfig } from "../../config/load.ts";
import type { SinkConfiguration } from "../../config/sink-entry.ts";
import { printable } from "../../errors/printable.ts";
import { CaIdentity } from "../../events/ca-identity.ts";
import { shrinkEvent } from "../../events/shrink-event.ts";
import { lockDirectory } from "../../files/directory-lock.ts";
import { PipelineMonitor } from "../../pipeline/monitor.ts";
import { type LetterToSend, redrive } from "../../service/redrive.ts";
import { eventsOfLetter, type FoundLetter, readDeadLetters } from "../../sources/dead-letters.ts";
import type { EventContext } from "../../sources/decode-frame.ts";
import { deleteDeadLetters } from "../../state/dead-letter-files.ts";
import { stateLayout } from "../../state/layout.ts";
import { besideTheService } from "../beside-the-service.ts";
import { readCaIds } from "../chosen-journal.ts";
import { exitCodes } from "../exit-codes.ts";
import { describeFilter, isChosen, type LetterFilter } from "../letter-filter.ts";
import { createLogger } from "../logger.ts";
import { type OpenedLetters, withDeadLetters } from "../open-letters.ts";
import { alignRows, say } from "../output.ts";
import { formatBytes, formatFiles, Progress } from "../progress.ts";
import { stopSignal } from "../stop-signal.ts";

/** The options of `certwire dead-letters redrive`. */
export interface RedriveCommandOptions extends LetterFilter {
  readonly delete?: true;
  readonly dryRun?: true;
}

/** `certwire dead-letters redrive`: publishes dead letters to their sinks again. */
export async function redriveDeadLetters(options: RedriveCommandOptions): Promise<void> {
  const isNeeded = ({ name }: { readonly name: string }): boolean =>
    !options.dryRun && (options.sink?.includes(name) ?? true);
  const config = loadConfig(options.config, { isNeeded });
  await withLock(config, options, () =>
    withDeadLetters(config, async (opened) => {
      const run = new RedriveRun(config, options, opened);
      await run.plan();
      if (options.dryRun || run.isStopped) return;
      await run.send();
      if (options.delete) await run.deleteDone();
    }),
  );
}

/** A second redrive at the same time would publish the same letters. */
async function withLock(
  { state }: ResolvedConfig,
  { dryRun }: RedriveCommandOptions,
  use: () => Promise<void>,
): Promise<void> {
  const { directory, redriveLockName } = stateLayout(state.directory);
  const lock = dryRun ? undefined : await lockDirectory(directory, redriveLockName, "private");
  try {
    await use();
  } finally {
    lock?.release();
  }
}

/** How many letters of a sink a redrive finds, and of which reasons. */
interface SinkPlan {
  letters: number;
  readonly reasons: Map<string, number>;
}

class RedriveRun {
  readonly #config: ResolvedConfig;
  readonly #options: RedriveCommandOptions;
  readonly #opened: OpenedLetters;
  readonly #signal = stopSignal();
  readonly #plans = new Map<string, SinkPlan>();

  constructor(config: ResolvedConfig, options: RedriveCommandOptions, opened: OpenedLetters) {
    this.#config = config;
    this.#options = options;
    this.#opened = opened;
  }

  get isStopped(): boolean {
    return this.#signal.aborted;
  }

  /** Counts what will be sent, and prints it. */
  async plan(): Promise<void> {
    const progress = new Progress();
    const { files, bytes, marks } = this.#opened;
    let [done, redriven] = [0, 0];
    const others: string[] = [];
    const seen = new Set<string>();
    for await (const found of readDeadLetters(files, this.#signal)) {
      if ("place" in found) {
        others.push(found.place);
        continue;
      }
      progress.update(done + found.endsAt, bytes, "counting");
      if (found.endsAt === found.file.size) done += found.file.size;
      if (!isChosen(found, this.#options)) continue;
      const name = { sink: found.letter.sink, id: found.id };
      if (marks.timeOf(name) !== undefined) redriven += 1;
      else if (!seen.has(`${name.sink} ${name.id}`)) this.#count(found);
      seen.add(`${name.sink} ${name.id}`);
    }
    progress.end();
    if (this.isStopped) process.exitCode = exitCodes.interrupted;
    else this.#sayPlan(redriven, others);
  }

  #count({ letter: { sink, reason } }: FoundLetter): void {
    const plan = this.#plans.get(sink) ?? { letters: 0, reasons: new Map<string, number>() };
    plan.letters += 1;
    plan.reasons.set(reason, (plan.reasons.get(reason) ?? 0) + 1);
    this.#plans.set(sink, plan);
  }

  #sayPlan(redriven: number, others: readonly string[]): void {
    const { files, bytes } = this.#opened;
    const rows = [
      ["source", formatFiles(files.length, bytes)],
      ["filter", describeFilter(this.#options)],
      ...[...this.#plans].map(([sink, plan]) => [`sink ${sink}`, this.#planText(sink, plan)]),
      ["left out", `${redriven} that were redriven before`],
      ["marks", "replayed: true, ids unchanged, checkpoints untouched"],
      ...(others.length === 0
        ? []
        : [["warning", `${others.length} lines are not dead letters, first ${others[0]}`]]),
    ];
    say("redrive plan");
    for (const row of alignRows(rows)) say(printable(`  ${row}`));
  }

  #planText(sink: string, { letters, reasons }: SinkPlan): string {
    const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`);
    const isKnown = this.#sinkOf(sink) !== undefined;
    const note = isKnown ? "" : "; not in the configuration, its letters stay";
    return `${letters} letters, ${parts.join(", ")}${note}`;
  }

  #sinkOf(name: string): SinkConfiguration | undefined {
    return this.#config.sinks.find(({ options }) => options.name === name);
  }

  /** Publishes what was planned, sink after sink, and prints what became of it. */
  async send(): Promise<void> {
    for (const [name, { letters }] of this.#plans) {
      const sink = this.#sinkOf(name);
      if (sink !== undefined && !this.isStopped) await this.#sendTo(sink, letters);
      else if (sink === undefined) process.exitCode = exitCodes.deadLetters;
    }
    if (this.isStopped) process.exitCode = exitCodes.interrupted;
  }

  async #sendTo(sink: SinkConfiguration, planned: number): Promise<void> {
    const { name } = sink.options;
    const { marks } = this.#opened;
    const target = besideTheService(sink, "redrive");
    const log = createLogger(this.#config.log.level === "debug" ? "debug" : "warn");
    const sinkLog = log.child({ sink: name });
    const undecodable = { count: 0 };
    const progress = new Progress();
    const letters = this.#lettersOf(name, undecodable, (found) =>
      progress.update(found.endsAt, found.file.size, `${name}: ${basename(found.file.path)}`),
    );
    const done = await redrive(
      {
        letters,
        sink: await target.create(sinkLog),
        limits: target.limits,
        shrink: shrinkEvent,
        monitor: new PipelineMonitor(sinkLog),
        marks,
        ...(target.replayDrainMs !== undefined && { drainTimeoutMs: target.replayDrainMs }),
      },
      this.#signal,
    ).finally(() => progress.end());
    say(`sink ${name}: ${done.letters} of ${planned} letters redriven, ${done.events} events`);
    if (done.refused > 0)
      say(printable(`  ${done.refused} were refused again, first: ${done.firstRefusal}`));
    if (undecodable.count > 0)
      say(`  ${undecodable.count} still cannot be decoded by this version`);
    if (done.refused + undecodable.count > 0) process.exitCode = exitCodes.deadLetters;
  }

  /** The letters of a sink that are to be sent, each once. */
  async *#lettersOf(
    sink: string,
    undecodable: { count: number },
    read: (found: FoundLetter) => void,
  ): AsyncGenerator<LetterToSend> {
    const { files, marks } = this.#opened;
    const context = await this.#eventContext();
    const begun = new Set<string>();
    for await (const found of readDeadLetters(files, this.#signal)) {
      if ("place" in found || found.letter.sink !== sink) continue;
      read(found);
      const { id, letter } = found;
      if (!isChosen(found, this.#options) || begun.has(id)) continue;
      if (marks.timeOf({ sink, id }) !== undefined) continue;
      begun.add(id);
      const events = eventsOfLetter(letter, context);
      if (events.length > 0) yield { sink, id, events };
      else undecodable.count += 1;
    }
  }

  async #eventContext(): Promise<EventContext> {
    const identity = new CaIdentity(await readCaIds(this.#config));
    return { options: this.#config.events, identity };
  }

  /** Deletes the files of which every line is a letter that was redriven. */
  async deleteDone(): Promise<void> {
    const { files, marks } = this.#opened;
    const kept = new Set<string>();
    for await (const found of readDeadLetters(files, this.#signal)) {
      const isDone =
        !("place" in found) &&
        marks.timeOf({ sink: found.letter.sink, id: found.id }) !== undefined;
      if (!isDone) kept.add(found.file.path);
    }
    if (this.isStopped) return;
    const done = files.filter(({ path }) => !kept.has(path));
    let [count, bytes] = [0, 0];
    for (const file of done) {
      if (!(await deleteDeadLetters(file))) continue;
      [count, bytes] = [count + 1, bytes + file.size];
    }
    say(`${count} of ${files.length} files deleted, ${formatBytes(bytes)}`);
  }
}
