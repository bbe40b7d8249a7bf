import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CertwireEvent } from "../../src/events/event.ts";

/** What tells events and their order apart. */
export type FollowedEvent = Pick<CertwireEvent, "id" | "partitionkey">;

interface Progress {
  offset: number;
  /** The beginning of a line that was not complete. */
  rest: Buffer;
}

/** The files of a file sink, of which each byte is read once, however often it is asked. */
export class FollowedFiles {
  readonly #directory: string;
  readonly #progress = new Map<string, Progress>();
  readonly #events: FollowedEvent[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** All events so far, in the order of publishing. */
  read(): readonly FollowedEvent[] {
    if (!existsSync(this.#directory)) return [];
    const names = readdirSync(this.#directory).filter((name) => name.endsWith(".ndjson"));
    for (const name of names.toSorted()) this.#readNew(name);
    return this.#events;
  }

  #readNew(name: string): void {
    const path = join(this.#directory, name);
    const progress = this.#progress.get(name) ?? { offset: 0, rest: Buffer.alloc(0) };
    this.#progress.set(name, progress);
    const added = Buffer.alloc(statSync(path).size - progress.offset);
    const file = openSync(path, "r");
    const length = readSync(file, added, 0, added.length, progress.offset);
    closeSync(file);
    progress.offset += length;
    const bytes = Buffer.concat([progress.rest, added.subarray(0, length)]);
    const end = bytes.lastIndexOf("\n") + 1;
    progress.rest = bytes.subarray(end);
    for (const line of bytes.toString("utf8", 0, end).split("\n").filter(Boolean)) {
      const { id, partitionkey } = JSON.parse(line) as CertwireEvent;
      this.#events.push({ id, partitionkey });
    }
  }
}
