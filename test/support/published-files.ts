import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CertwireEvent } from "../../src/events/event.ts";

/** What a file sink has published, file by file. */
export function textsIn(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith(".ndjson"));
    return names.toSorted().map((name) => readFileSync(join(directory, name), "utf8"));
  } catch {
    return []; // killed before the sink made its directory
  }
}

/** Events in the order of publishing, without a line that a kill cut off. */
export function published(directory: string): CertwireEvent[] {
  return textsIn(directory).flatMap((text) => text.split("\n").flatMap(parse));
}

/** Number of lines that are published: cheap enough to be asked again and again, unlike the events. */
export function publishedLines(directory: string): number {
  return textsIn(directory).reduce((sum, text) => sum + text.split("\n").length - 1, 0);
}

function parse(line: string): CertwireEvent[] {
  try {
    return [JSON.parse(line) as CertwireEvent];
  } catch {
    return [];
  }
}
