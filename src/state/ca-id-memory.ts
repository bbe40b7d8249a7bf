import { appendFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CertwireError } from "../errors/certwire-error.ts";
import { openForAppend } from "../files/append-file.ts";
import type { Frame } from "../journal/frame.ts";

/** Which frame is meant. */
export type FramePlace = Pick<Frame, "epochId" | "sequence">;

interface Entry {
  /** The first frame of the epoch that the id was used for. */
  readonly sequence: bigint;
  readonly id: string;
}

/**
 * From which frame of which epoch on a CA had which id. What was once said of a frame is said again,
 * wherever reading begins: the id is part of an event's `source`.
 */
export class CaIdMemory {
  readonly #epochs = new Map<string, Entry[]>();
  readonly #append: (line: string) => void;

  private constructor(text: string, append: (line: string) => void) {
    this.#append = append;
    for (const line of text.split("\n")) {
      const entry = parseEntry(line);
      if (entry !== undefined) this.#insert(entry.epochId, entry);
    }
  }

  /** Knows nothing, and forgets when it goes. */
  static empty(): CaIdMemory {
    return new CaIdMemory("", () => undefined);
  }

  /** What a service has kept in its state, to look at; empty without one. Rejects with a CertwireError. */
  static async read(stateDirectory: string | undefined): Promise<CaIdMemory> {
    if (stateDirectory === undefined) return CaIdMemory.empty();
    return new CaIdMemory(await readText(memoryPath(stateDirectory)), () => undefined);
  }

  /**
   * Opens the memory of a service; what is new is on disk when `keep` returns. `failed` is told when it
   * could not be written; it is tried again together with the next. Rejects with a CertwireError.
   */
  static async open(stateDirectory: string, failed: (error: unknown) => void): Promise<CaIdMemory> {
    const path = memoryPath(stateDirectory);
    try {
      await (await openForAppend(path)).close();
    } catch (cause) {
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot open ${path}`, { cause });
    }
    let unwritten = "";
    return new CaIdMemory(await readText(path), (line) => {
      unwritten += line;
      try {
        appendFileSync(path, unwritten, { flush: true });
        unwritten = "";
      } catch (error) {
        if (!unwritten.startsWith("\n")) unwritten = `\n${unwritten}`; // a part may be there
        failed(error);
      }
    });
  }

  /** The id that was kept for a frame, or for one before it in its epoch. */
  idAt({ epochId, sequence }: FramePlace): string | undefined {
    return this.#epochs.get(epochId)?.findLast((entry) => entry.sequence <= sequence)?.id;
  }

  /** Keeps the id for a frame and those behind it in its epoch. */
  keep({ epochId, sequence }: FramePlace, id: string): void {
    this.#insert(epochId, { sequence, id });
    this.#append(`${JSON.stringify({ epochId, sequence: String(sequence), id })}\n`);
  }

  #insert(epochId: string, { sequence, id }: Entry): void {
    const entries = this.#epochs.get(epochId) ?? [];
    entries.push({ sequence, id });
    entries.sort((a, b) => Number(a.sequence - b.sequence));
    this.#epochs.set(epochId, entries);
  }
}

function memoryPath(stateDirectory: string): string {
  return join(stateDirectory, "ca-ids.ndjson");
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot read ${path}`, { cause });
  }
}

/** An entry with its epoch; `undefined` for a line that a crash cut off. */
function parseEntry(line: string): (Entry & { readonly epochId: string }) | undefined {
  try {
    const { epochId, sequence, id } = JSON.parse(line) as Record<string, unknown>;
    if (typeof epochId !== "string" || typeof sequence !== "string") return undefined;
    return typeof id === "string" ? { epochId, sequence: BigInt(sequence), id } : undefined;
  } catch {
    return undefined;
  }
}
