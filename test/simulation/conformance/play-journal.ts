import { decodeGap } from "../../../src/exit/decode-gap.ts";
import { decodeRecord } from "../../../src/exit/decode-record.ts";
import { frameTypes, type JournalFrame } from "../../../src/journal/frame.ts";
import type { JournalPosition } from "../../../src/journal/position.ts";
import type { JournalStep, Tear } from "./journal-script.ts";

/** A journal that a script is played on: a real one, or the model. */
export interface JournalSubject {
  /** Appends records of requests; starts a writer if none runs, whose first record is of no request of the script. */
  append(requestIds: readonly number[]): Promise<void>;
  /** Ends the writer. */
  end(how: "seal" | "kill"): Promise<void>;
  /** Tears some of the newest records in the newest segment, whose writer has ended. */
  tear(torn: readonly boolean[], tear: Tear): Promise<void>;
  /** Deletes the oldest segments; the newest stays. */
  deleteOldest(segments: number): Promise<void>;
  /** Starts a reader, in the place of the one before. */
  open(position: JournalPosition | null): Promise<void>;
  /** Reads so many frames, or all that there are. */
  read(frames: number): Promise<readonly JournalFrame[]>;
  close(): Promise<void>;
}

const none = "-";

/** Plays a script on a journal, and reads it to its end. Returns one line for each step and each frame that was read. */
export async function playJournal(
  script: readonly JournalStep[],
  subject: JournalSubject,
): Promise<string[]> {
  const player = new Player(subject);
  const lines: string[] = [];
  try {
    for (const [index, step] of script.entries()) {
      const outcome = await player.play(step);
      lines.push(`${index} ${JSON.stringify(step)}: ${outcome}`, ...player.takeLines());
    }
    // Another epoch, so that all others have ended.
    for (const step of [{ do: "seal" }, { do: "append", count: 1 }] as const)
      await player.play(step);
    await player.play({ do: "read", frames: Infinity });
    lines.push("end", ...player.takeLines());
  } finally {
    await subject.close();
  }
  return lines;
}

class Player {
  readonly #subject: JournalSubject;
  #lines: string[] = [];
  #positions: JournalPosition[] = [];
  #nextRequestId = 1;
  #hasJournal = false;
  #isRunning = false;
  #isOpen = false;

  constructor(subject: JournalSubject) {
    this.#subject = subject;
  }

  /** The frames that were read since the last call. */
  takeLines(): string[] {
    return this.#lines.splice(0);
  }

  /** What a step comes to; `-` if there is nothing to do. */
  async play(step: JournalStep): Promise<string> {
    const subject = this.#subject;
    switch (step.do) {
      case "append": {
        const requestIds = Array.from({ length: step.count }, () => this.#nextRequestId++);
        await subject.append(requestIds);
        [this.#hasJournal, this.#isRunning] = [true, true];
        return "done";
      }
      case "seal":
      case "kill":
        return this.#end(step.do);
      case "cut-power":
        return this.#cutPower(step);
      case "delete":
        if (!this.#hasJournal) return none;
        await subject.deleteOldest(step.segments);
        return "done";
      case "open":
        return this.#open(null);
      case "reopen":
        return this.#open(this.#positions.at(-1 - step.back) ?? null);
      default:
        return this.#read(step.frames);
    }
  }

  async #end(how: "seal" | "kill"): Promise<string> {
    if (!this.#isRunning) return none;
    this.#isRunning = false;
    await this.#subject.end(how);
    return "done";
  }

  /** It also ends the reader, which may have seen what is gone now. */
  async #cutPower({ torn, tear }: JournalStep & { readonly do: "cut-power" }): Promise<string> {
    if (!this.#isRunning) return none;
    await this.#end("kill");
    await this.#subject.tear(torn, tear);
    return this.#open(this.#positions.at(-1) ?? null);
  }

  async #open(position: JournalPosition | null): Promise<string> {
    await this.#subject.open(position);
    this.#isOpen = true;
    return "done";
  }

  async #read(frames: number): Promise<string> {
    if (!this.#hasJournal) return none;
    if (!this.#isOpen) await this.#open(null);
    const read = await this.#subject.read(frames);
    for (const frame of read) {
      this.#positions.push(frame.position);
      this.#lines.push(describe(frame));
    }
    return "done";
  }
}

function describe({ type, epochNumber, sequence, index, payload, position }: JournalFrame): string {
  const isDone = position.offset === 0;
  const place = `${position.epochNumber}/${position.segment}${isDone ? " done" : ""}`;
  const name = `${epochNumber}:${sequence}:${index}`;
  if (type === frameTypes.gap) {
    const { reason, firstSequence, lastSequence } = decodeGap(payload);
    return `gap ${name} ${reason} ${firstSequence}-${lastSequence ?? ""} at ${place}:${position.sequence}`;
  }
  // The first record of an epoch is of the start of the CA.
  const request =
    sequence === 2n ? "" : ` request ${Number(decodeRecord(payload).request.get("RequestID"))}`;
  return `record ${name}${request} at ${place}:${position.sequence}`;
}
