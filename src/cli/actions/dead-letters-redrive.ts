import { basename } from "node:path";
import { parseConfig, type ResolvedConfig, readConfigText } from "../../config/load.ts";
import type { SinkConfiguration } from "../../config/sink-entry.ts";
import { CaIdentity } from "../../events/ca-identity.ts";
import { shrinkEvent } from "../../events/shrink-event.ts";
import { lockDirectory } from "../../files/directory-lock.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { PipelineMonitor } from "../../pipeline/monitor.ts";
import { type LetterToSend, redrive } from "../../service/redrive.ts";
import { eventsOfLetter, type FoundLetter, readDeadLetters } from "../../sources/dead-letters.ts";
import type { EventContext } from "../../sources/decode-frame.ts";
import { deleteDeadLetters, type OpenDeadLetters } from "../../state/dead-letter-files.ts";
import { stateLayout } from "../../state/layout.ts";
import { formatBytes } from "../../units.ts";
import { besideTheService } from "../beside-the-service.ts";
import { readConfiguredMemory } from "../chosen-journal.ts";
import { exitCodes } from "../exit-codes.ts";
import { describeFilter, type LetterFilter, othersText } from "../letter-filter.ts";
import { createLogger } from "../logger.ts";
import { bytesBefore, extentOf, type OpenedLetters, withDeadLetters } from "../open-letters.ts";
import { alignRows, inLine, say } from "../output.ts";
import { formatFiles, Progress } from "../progress.ts";
import { RedrivePlan, type SinkPlan } from "../redrive-plan.ts";
import { stopSignal } from "../stop-signal.ts";

/** The options of `certwire dead-letters redrive`. */
export interface RedriveCommandOptions extends LetterFilter {
  readonly toSink?: string;
  readonly delete?: true;
  readonly dryRun?: true;
}

/** `certwire dead-letters redrive`: publishes dead letters to their sinks again. */
export async function redriveDeadLetters(options: RedriveCommandOptions): Promise<void> {
  const text = readConfigText(options.config);
  const config = parseConfig(options.config, text, { isNeeded: () => false });
  await withLock(config, options, () =>
    withDeadLetters(config, async (opened) => {
      const run = new RedriveRun(config, options, opened);
      await run.plan();
      if (options.dryRun || run.isStopped) return;
      await run.dropOldMarks();
      const targets = run.targets();
      const isNeeded = ({ name }: { readonly name: string }): boolean => targets.has(name);
      await run.send(parseConfig(options.config, text, { isNeeded }));
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

class RedriveRun {
  readonly #config: ResolvedConfig;
  readonly #options: RedriveCommandOptions;
  readonly #opened: OpenedLetters;
  readonly #plan: RedrivePlan;
  readonly #stop = stopSignal();
  readonly #signal = AbortSignal.any([this.#stop, standardOutput().ended]);
  /** The sinks of which every letter of the plan was redriven. */
  readonly #done = new Set<string>();

  /** `config` has no secrets. */
  constructor(config: ResolvedConfig, options: RedriveCommandOptions, opened: OpenedLetters) {
    this.#config = config;
    this.#options = options;
    this.#opened = opened;
    this.#plan = new RedrivePlan(opened, options);
  }

  get isStopped(): boolean {
    return this.#signal.aborted;
  }

  /** Counts what will be sent, and prints it. */
  async plan(): Promise<void> {
    await this.#plan.read(this.#signal);
    if (this.isStopped) this.#interrupted();
    else this.#sayPlan();
  }

  /** Marks of letters that are gone take space, and nothing else. */
  async dropOldMarks(): Promise<void> {
    const { deadLetterDirectory, redriven } = stateLayout(this.#config.state.directory);
    try {
      await this.#plan.dropOldMarks(deadLetterDirectory);
    } catch (error) {
      say(`warning: cannot replace ${redriven}: ${inLine(String(error))}`);
    }
  }

  /** The names of the sinks that get letters. */
  targets(): Set<string> {
    const names = [...this.#plan.sinks.keys()].map((sink) => this.#options.toSink ?? sink);
    return new Set(names);
  }

  /** A reader of standard output that has seen enough is not an interruption. */
  #interrupted(): void {
    if (this.#stop.aborted) process.exitCode = exitCodes.interrupted;
  }

  #sayPlan(): void {
    const { files, bytes } = this.#opened;
    const { sinks, redriven, others } = this.#plan;
    const rows = [
      ["source", formatFiles(files.length, bytes)],
      ["filter", describeFilter(this.#options)],
      ...[...sinks].map(([sink, plan]) => [`sink ${sink}`, this.#planText(sink, plan)]),
      ["left out", `${redriven} that were redriven before`],
      ["marks", "replayed: true, ids unchanged, checkpoints untouched"],
      ...(others.count === 0 ? [] : [["warning", othersText(others)]]),
    ];
    say("redrive plan");
    for (const row of alignRows(rows)) say(`  ${row}`);
  }

  #planText(sink: string, { letters, reasons }: SinkPlan): string {
    const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`);
    const target = this.#targetOf(sink, this.#config)?.options.name;
    const note = target === undefined ? "; not in the configuration, its letters stay" : "";
    const other = target === undefined || target === sink ? "" : ` to sink ${target}`;
    return `${letters} letters${other}, ${parts.join(", ")}${note}`;
  }

  /** Where the letters of a sink go. */
  #targetOf(sink: string, { sinks }: ResolvedConfig): SinkConfiguration | undefined {
    const { toSink = sink } = this.#options;
    return sinks.find(({ options }) => options.name === toSink);
  }

  /**
   * Publishes what was planned, sink after sink, and prints what became of it. `config` has the secrets of the sinks
   * that get letters.
   */
  async send(config: ResolvedConfig): Promise<void> {
    for (const [name, { letters }] of this.#plan.sinks) {
      const sink = this.#targetOf(name, config);
      if (sink !== undefined && !this.isStopped) await this.#sendTo(sink, name, letters);
      else if (sink === undefined) process.exitCode = exitCodes.deadLetters;
    }
    if (this.isStopped) this.#interrupted();
  }

  /** Publishes the letters of the sink `name`. */
  async #sendTo(sink: SinkConfiguration, name: string, planned: number): Promise<void> {
    const { marks } = this.#opened;
    const target = besideTheService(sink, "redrive");
    const log = createLogger(this.#config.log.level === "debug" ? "debug" : "warn");
    const sinkLog = log.child({ sink: this.#options.toSink ?? name });
    const leftOut = { undecodable: 0, unwanted: 0 };
    const progress = new Progress();
    const files = this.#plan.filesOf(name);
    const extent = extentOf(files);
    const letters = this.#lettersOf(files, name, target, leftOut, (found) => {
      const what = `${name}: ${basename(found.file.path)}`;
      progress.update(bytesBefore(extent, found), extent.bytes, what);
    });
    const done = await redrive(
      {
        letters,
        sink: await target.create(sinkLog),
        limits: target.limits,
        shrink: shrinkEvent,
        redactor: target.redactor,
        router: target.router,
        monitor: new PipelineMonitor(sinkLog, { deadLetterLine: "the letter was refused again" }),
        marks,
        ...(target.replayDrainMs !== undefined && { drainTimeoutMs: target.replayDrainMs }),
      },
      this.#signal,
    ).finally(() => progress.end());
    if (done.letters === planned) this.#done.add(name);
    say(`sink ${name}: ${done.letters} of ${planned} letters redriven, ${done.events} events`);
    if (done.refused > 0)
      say(`  ${done.refused} were refused again, first: ${inLine(done.firstRefusal ?? "")}`);
    if (leftOut.unwanted > 0)
      say(`  ${leftOut.unwanted} stay: the sink does not want them now (\`only\`, \`except\`)`);
    if (leftOut.undecodable > 0)
      say(`  ${leftOut.undecodable} still cannot be decoded by this version`);
    if (done.refused + leftOut.undecodable > 0) process.exitCode = exitCodes.deadLetters;
  }

  /** The letters of a sink that are to be sent, each once. */
  async *#lettersOf(
    files: readonly OpenDeadLetters[],
    sink: string,
    target: SinkConfiguration,
    leftOut: { undecodable: number; unwanted: number },
    read: (found: FoundLetter) => void,
  ): AsyncGenerator<LetterToSend> {
    const context = await this.#eventContext(target);
    for await (const found of readDeadLetters(files, this.#signal)) {
      if ("place" in found || found.letter.sink !== sink) continue;
      read(found);
      if (!this.#plan.take(found)) continue;
      const { id, letter, bytes } = found;
      const all = eventsOfLetter(letter, context);
      const events = all.filter((event) => target.filter.wants(event));
      if (events.length > 0) yield { sink, id, times: this.#plan.timesOf(found), events, bytes };
      else if (all.length > 0) leftOut.unwanted += 1;
      else leftOut.undecodable += 1;
    }
  }

  async #eventContext({ options }: SinkConfiguration): Promise<EventContext> {
    const identity = new CaIdentity(await readConfiguredMemory(this.#config));
    return { options: { ...this.#config.events, detail: options.detail }, identity };
  }

  async #delete(file: OpenDeadLetters): Promise<boolean> {
    try {
      return await deleteDeadLetters(file);
    } catch (error) {
      say(`warning: cannot delete ${file.path}: ${inLine(String(error))}`);
      return false;
    }
  }

  /** Deletes the files of which every line is a letter of a chosen sink that was redriven. */
  async deleteDone(): Promise<void> {
    const done = await this.#plan.redrivenFiles(this.#done, this.#signal);
    if (this.isStopped) return;
    let [count, bytes] = [0, 0];
    for (const file of done) {
      if (!(await this.#delete(file))) continue;
      [count, bytes] = [count + 1, bytes + file.size];
    }
    say(`${count} of ${this.#opened.files.length} files deleted, ${formatBytes(bytes)}`);
  }
}
