import { writeFile } from "node:fs/promises";
import type { CertwireEvent } from "../../events/event.ts";
import { jsonText } from "../../events/json-text.ts";

/**
 * Writes events as a recording for `replay` and `certwire replay`: one line of JSON each. A file that exists is
 * replaced. Rejects with what the file system throws.
 *
 * ```js
 * import { replay, testCa, writeRecording } from "certwire/testing";
 *
 * const ca = testCa();
 * ca.issue();
 * await writeRecording("recording.ndjson", ca.events);
 * await replay("recording.ndjson", "stdout:", { types: ["certificate.issued"] });
 * ```
 */
export async function writeRecording(path: string, events: Iterable<CertwireEvent>): Promise<void> {
  await writeFile(path, [...events].map((event) => `${jsonText(event)}\n`).join(""));
}
