import { basename } from "node:path";
import { loadConfig, type ResolvedConfig } from "../../config/load.ts";
import type { SinkConfiguration } from "../../config/sink-entry.ts";
import { CaIdentity } from "../../events/ca-identity.ts";
import { shrinkEvent } from "../../events/shrink-event.ts";
import { lockDirectory } from "../../files/directory-lock.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { PipelineMonitor } from "../../pipeline/monitor.ts";
import { type LetterToSend, redrive } from "../../service/redrive.ts";
import {
  eventsOfLetter,
  type FoundLetter,
  type OtherLine,
  readDeadLetters,
} from "../../sources/dead-letters.ts";
import type { EventContext } from "../../sources/decode-frame.ts";
import { deleteDeadLetters, type OpenDeadLetters } from "../../state/dead-letter-files.ts";
import { stateLayout } from "../../state/layout.ts";
import { besideTheService } from "../beside-the-service.ts";
import { readConfiguredMemory } from "../chosen-journal.ts";
import { exitCodes } from "../exit-codes.ts";
import {
  countOther,
  describeFilter,
  isChosen,
  type LetterFilter,
  type Others,
  othersText,
  unknownLetter,
} from "../letter-filter.ts";
import { createLogger } from "../logger.ts";
import { bytesBefore, extentOf, type OpenedLetters, withDeadLetters } from "../open-letters.ts";
import { alignRows, inLine, say } from "../output.ts";
import { formatBytes, formatFiles, Progress } from "../progress.ts";
import { stopSignal } from "../stop-signal.ts";

/** The options of `certwire dead-letters redrive`. */
export interface RedriveCommandOptions extends LetterFilter {
  readonly toSink?: string;
  readonly delete?: true;
  readonly dryRun?: true;
}

/** `certwire dead-letters redrive`: publishes dead letters to their sinks again. */
export async function redriveDeadLetters(options: RedriveCommandOptions): Promise<void> {
  const isNeeded = ({ name }: { readonly name: string }): boolean =>
    !options.dryRun &&
    (options.toSink === undefined
      ? (options.sink?.includes(name) ?? true)
      : name === options.toSink);
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

/** What a redrive will do with a file. */
interface FilePlan {
  /** The sinks whose letters in it are to be sent. */
  readonly sinks: Set<string>;
  /** True if something in it stays, whatever is sent. */
  isKept: boolean;
}

class RedriveRun {
  readonly #config: ResolvedConfig;
  readonly #options: RedriveCommandOptions;
  readonly #opened: OpenedLetters;
  readonly #stop = stopSignal();
  readonly #signal = AbortSignal.any([this.#stop, standardOutput().ended]);
  readonly #plans = new Map<string, SinkPlan>();
  readonly #files: ReadonlyMap<OpenDeadLetters, FilePlan>;
  /** When letters that stand in the files again were written, the first one apart. */
  readonly #again = new Map<string, string[]>();
  /** The sinks of which every letter of the plan was redriven. */
  readonly #done = new Set<string>();

  constructor(config: ResolvedConfig, options: RedriveCommandOptions, opened: OpenedLetters) {
    this.#config = config;
    this.#options = options;
    this.#opened = opened;
    this.#files = new Map(
      opened.files.map((file) => [file, { sinks: new Set<string>(), isKept: false }]),
    );
  }

  get isStopped(): boolean {
    return this.#signal.aborted;
  }

  /** Counts what will be sent, and prints it. */
  async plan(): Promise<void> {
    const progress = new Progress();
    const { files, bytes } = this.#opened;
    let redriven = 0;
    const others: Others = { count: 0 };
    const seen = new Set<string>();
    const ids = new Set<string>();
    for await (const found of readDeadLetters(files, this.#signal)) {
      const isRedriven = !("place" in found) && this.#isRedriven(found);
      this.#planFile(found, isRedriven);
      if ("place" in found) {
        countOther(others, found);
        continue;
      }
      progress.update(bytesBefore(this.#opened, found), bytes, "counting");
      if (!isChosen(found, this.#options)) continue;
      if (isRedriven) redriven += 1;
      else this.#planLetter(found, seen);
      if (this.#options.id !== undefined) ids.add(found.id);
    }
    progress.end();
    if (this.isStopped) return this.#interrupted();
    const missing = this.#options.id?.find((id) => !ids.has(id));
    if (missing !== undefined) throw unknownLetter(missing);
    this.#sayPlan(redriven, others);
  }

  #planFile(found: FoundLetter | OtherLine, isRedriven: boolean): void {
    const plan = this.#files.get(found.file);
    if (plan === undefined) return;
    if ("place" in found) {
      plan.isKept = true;
      return;
    }
    const { sink } = found.letter;
    const isSent = !isRedriven && isChosen(found, this.#options);
    if (isSent) plan.sinks.add(sink);
    const isOfSink = this.#options.sink?.includes(sink) ?? true;
    if (!isOfSink || !(isRedriven || isSent)) plan.isKept = true;
  }

  #planLetter(found: FoundLetter, seen: Set<string>): void {
    const name = nameOf(found);
    if (seen.has(name)) {
      this.#again.set(name, [...(this.#again.get(name) ?? []), found.letter.time]);
      return;
    }
    seen.add(name);
    this.#count(found);
  }

  #isRedriven({ id, letter }: FoundLetter): boolean {
    return this.#opened.marks.timeOf({ ...letter, id }) !== undefined;
  }

  /** A reader of standard output that has seen enough is not an interruption. */
  #interrupted(): void {
    if (this.#stop.aborted) process.exitCode = exitCodes.interrupted;
  }

  #count({ letter: { sink, reason } }: FoundLetter): void {
    const plan = this.#plans.get(sink) ?? { letters: 0, reasons: new Map<string, number>() };
    plan.letters += 1;
    plan.reasons.set(reason, (plan.reasons.get(reason) ?? 0) + 1);
    this.#plans.set(sink, plan);
  }

  #sayPlan(redriven: number, others: Others): void {
    const { files, bytes } = this.#opened;
    const rows = [
      ["source", formatFiles(files.length, bytes)],
      ["filter", describeFilter(this.#options)],
      ...[...this.#plans].map(([sink, plan]) => [`sink ${sink}`, this.#planText(sink, plan)]),
      ["left out", `${redriven} that were redriven before`],
      ["marks", "replayed: true, ids unchanged, checkpoints untouched"],
      ...(others.count === 0 ? [] : [["warning", othersText(others)]]),
    ];
    say("redrive plan");
    for (const row of alignRows(rows)) say(`  ${row}`);
  }

  #planText(sink: string, { letters, reasons }: SinkPlan): string {
    const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`);
    const target = this.#targetOf(sink)?.options.name;
    const note = target === undefined ? "; not in the configuration, its letters stay" : "";
    const other = target === undefined || target === sink ? "" : ` to sink ${target}`;
    return `${letters} letters${other}, ${parts.join(", ")}${note}`;
  }

  /** Where the letters of a sink go. */
  #targetOf(sink: string): SinkConfiguration | undefined {
    const { toSink = sink } = this.#options;
    return this.#config.sinks.find(({ options }) => options.name === toSink);
  }

  /** Publishes what was planned, sink after sink, and prints what became of it. */
  async send(): Promise<void> {
    for (const [name, { letters }] of this.#plans) {
      const sink = this.#targetOf(name);
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
    const files = this.#filesOf(name);
    const extent = extentOf(files);
    const letters = this.#lettersOf(files, name, leftOut, (found) => {
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

  /** The files with letters of a sink that are to be sent. */
  #filesOf(sink: string): OpenDeadLetters[] {
    return this.#opened.files.filter((file) => this.#files.get(file)?.sinks.has(sink));
  }

  /** The letters of a sink that are to be sent, each once. */
  async *#lettersOf(
    files: readonly OpenDeadLetters[],
    sink: string,
    leftOut: { undecodable: number; unwanted: number },
    read: (found: FoundLetter) => void,
  ): AsyncGenerator<LetterToSend> {
    const context = await this.#eventContext(sink);
    const filter = this.#targetOf(sink)?.filter;
    const begun = new Set<string>();
    for await (const found of readDeadLetters(files, this.#signal)) {
      if ("place" in found || found.letter.sink !== sink) continue;
      read(found);
      const { id, letter } = found;
      if (!isChosen(found, this.#options) || begun.has(id)) continue;
      if (this.#isRedriven(found)) continue;
      begun.add(id);
      const all = eventsOfLetter(letter, context);
      const events = all.filter((event) => filter?.wants(event) ?? true);
      const times = [letter.time, ...(this.#again.get(nameOf(found)) ?? [])];
      if (events.length > 0) yield { sink, id, times, events, bytes: found.bytes };
      else if (all.length > 0) leftOut.unwanted += 1;
      else leftOut.undecodable += 1;
    }
  }

  async #eventContext(sink: string): Promise<EventContext> {
    const identity = new CaIdentity(await readConfiguredMemory(this.#config));
    return {
      options: { ...this.#config.events, detail: this.#targetOf(sink)?.options.detail },
      identity,
    };
  }

  async #delete(file: OpenDeadLetters): Promise<boolean> {
    try {
      return await deleteDeadLetters(file);
    } catch (error) {
      say(`warning: cannot delete ${file.path}: ${inLine(String(error))}`);
      return false;
    }
  }

  /** Reads the file once more if some letters of a sink were not redriven: its own may all have been. */
  async #isDone(file: OpenDeadLetters, { sinks, isKept }: FilePlan): Promise<boolean> {
    if (isKept) return false;
    if ([...sinks].every((sink) => this.#done.has(sink))) return true;
    for await (const found of readDeadLetters([file], this.#signal)) {
      if ("place" in found || !this.#isRedriven(found)) return false;
    }
    return true;
  }

  /** Deletes the files of which every line is a letter of a chosen sink that was redriven. */
  async deleteDone(): Promise<void> {
    const done: OpenDeadLetters[] = [];
    for (const [file, plan] of this.#files) if (await this.#isDone(file, plan)) done.push(file);
    if (this.isStopped) return;
    let [count, bytes] = [0, 0];
    for (const file of done) {
      if (!(await this.#delete(file))) continue;
      [count, bytes] = [count + 1, bytes + file.size];
    }
    say(`${count} of ${this.#files.size} files deleted, ${formatBytes(bytes)}`);
  }
}

/** No sink has a space in its name. */
function nameOf({ id, letter: { sink } }: FoundLetter): string {
  return `${sink} ${id}`;
}
