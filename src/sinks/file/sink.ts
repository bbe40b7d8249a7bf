import { type FileHandle, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { clock } from "../../clock.ts";
import type { CertwireError } from "../../errors/certwire-error.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import { isInPlace, openForAppend } from "../../files/append-file.ts";
import { lockDirectory } from "../../files/directory-lock.ts";
import { checkWritable } from "../../files/writable-directory.ts";
import type { NativeFileLock } from "../../native/addon.ts";
import { unlessAborted } from "../../waiting.ts";
import { publishStopped } from "../publish-stopped.ts";
import type { PublishOutcome, Sink, SinkLimits } from "../sink.ts";
import { displaced, toFileFailure } from "./errors.ts";
import type { ResolvedFileSinkOptions } from "./options.ts";

const namePattern = /^events-(\d{8,})\.ndjson$/;
const newline = Buffer.from("\n");
/** Longest wait for a write that is under way when the sink is closed, in ms. */
const closeTimeoutMs = 2000;

/**
 * Rotating files `events-00000001.ndjson`, one event a line, flushed before anything is acknowledged.
 * After a crash a truncated last line is terminated and stays; its event was not acknowledged, so it is written
 * again, and so are the events of a batch whose file was deleted or replaced meanwhile. The sink holds a lock from the first publish until `close`, since two writers would mix their lines.
 */
export class FileSink implements Sink {
  readonly kind = "file";
  readonly lanes = 1;
  readonly name: string;
  readonly limits: SinkLimits;
  readonly #options: ResolvedFileSinkOptions;
  #lock: NativeFileLock | undefined;
  #file: FileHandle | undefined;
  #size = 0;
  #number = 1;
  #publishing: Promise<unknown> = Promise.resolve();

  constructor(options: ResolvedFileSinkOptions) {
    this.name = options.name;
    this.limits = options.limits;
    this.#options = options;
  }

  /** Leaves no file behind: `certwire check` opens the sink, too, and must not write to it. */
  async open(): Promise<void> {
    try {
      await checkWritable(this.#options.directory);
    } catch (error) {
      throw toFileFailure(error).cause;
    }
  }

  laneOf(): number {
    return 0;
  }

  async publish(
    _lane: number,
    batch: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<PublishOutcome> {
    const result = this.#append(batch);
    this.#publishing = result;
    return unlessAborted(result, signal, { error: publishStopped }).catch(
      (cause: CertwireError) => ({
        acknowledged: 0,
        failure: { kind: "reset", cause },
      }),
    );
  }

  /**
   * Leaves the file and the lock to the end of the process when a write does not end, as on a network drive that hangs.
   * On Linux an exit still waits for that write, so the process ends with it, or when it is killed.
   */
  async close(): Promise<void> {
    const timeout = clock.delay(closeTimeoutMs, { ref: false }).then(() => "hung");
    if ((await Promise.race([this.#publishing, timeout])) === "hung") return;
    await this.#release();
  }

  async #append(batch: readonly OutboundEvent[]): Promise<PublishOutcome> {
    let acknowledged = 0;
    try {
      if (this.#file === undefined) await this.#openNewest();
      while (acknowledged < batch.length) {
        if (!this.#fits(batch[acknowledged])) await this.#rotate();
        const count = this.#countFitting(batch, acknowledged);
        await this.#write(batch.slice(acknowledged, acknowledged + count));
        acknowledged += count;
      }
      return { acknowledged };
    } catch (error) {
      await this.#release().catch(() => undefined);
      return { acknowledged, failure: toFileFailure(error) };
    }
  }

  #fits(event: OutboundEvent | undefined, used = this.#size): boolean {
    return used === 0 || used + (event?.json.length ?? 0) < this.#options.maxFileBytes;
  }

  /** Number of events, starting at `start`, that fit into the current file; at least one. */
  #countFitting(batch: readonly OutboundEvent[], start: number): number {
    let end = start;
    let used = this.#size;
    while (end < batch.length && (end === start || this.#fits(batch[end], used))) {
      used += (batch[end]?.json.length ?? 0) + 1;
      end += 1;
    }
    return end - start;
  }

  async #write(events: readonly OutboundEvent[]): Promise<void> {
    const lines = Buffer.concat(events.flatMap(({ json }) => [json, newline]));
    const file = this.#file;
    await file?.appendFile(lines);
    await file?.datasync();
    const path = this.#path(this.#number);
    // A cleaning job may have deleted the file: what was written is in no file then, so it is sent again.
    if (file && !(await isInPlace(path, file))) throw displaced(path);
    this.#size += lines.length;
  }

  async #openNewest(): Promise<void> {
    this.#lock = await lockDirectory(this.#options.directory, "events.lock");
    const numbers = await this.#listNumbers();
    this.#number = numbers.at(-1) ?? 1;
    await this.#openFile();
  }

  async #rotate(): Promise<void> {
    await this.#closeFile();
    this.#number += 1;
    await this.#openFile();
    const { maxFiles } = this.#options;
    if (maxFiles === 0) return;
    const surplus = (await this.#listNumbers()).slice(0, -maxFiles);
    for (const number of surplus) await unlink(this.#path(number));
  }

  async #openFile(): Promise<void> {
    this.#file = await openForAppend(this.#path(this.#number), "shared");
    this.#size = (await this.#file.stat()).size;
  }

  async #release(): Promise<void> {
    try {
      await this.#closeFile();
    } finally {
      this.#lock?.release();
      this.#lock = undefined;
    }
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #listNumbers(): Promise<number[]> {
    const names = await readdir(this.#options.directory);
    const numbers = names.flatMap((name) => namePattern.exec(name)?.[1] ?? []).map(Number);
    return numbers.toSorted((a, b) => a - b);
  }

  #path(number: number): string {
    return join(this.#options.directory, `events-${String(number).padStart(8, "0")}.ndjson`);
  }
}
