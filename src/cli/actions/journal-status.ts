import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import {
  type JournalStatus,
  journalStatus,
  type SinkStatus,
  type StatusPlace,
} from "../../journal-tools/read-status.ts";
import { countOf, formatBytes } from "../../units.ts";
import { chooseJournal } from "../chosen-journal.ts";
import { durationsText } from "../durations-text.ts";
import type { JournalOptions } from "../journal-options.ts";
import { alignRows } from "../output.ts";

/** The options of `certwire journal status`. */
export interface StatusOptions extends JournalOptions {
  readonly json?: true;
}

/** `certwire journal status`: what is in a journal, and how far each sink has read it. */
export async function showStatus(options: StatusOptions): Promise<void> {
  const { directory, config } = await chooseJournal(options);
  const sinks = config?.sinks.map((sink) => sink.options) ?? [];
  const found = await journalStatus(directory, config?.state.directory, sinks);
  const text = options.json ? jsonText(found, undefined, 2) : format(found).join("\n");
  standardOutput().post(`${text}\n`);
}

function format(found: JournalStatus): string[] {
  const { epochs, segments, bytes, first, last, sinks, writer } = found;
  return alignRows([
    ["journal", found.directory],
    [
      "content",
      `${countOf(epochs, "epoch")}, ${countOf(segments, "segment")}, ${formatBytes(bytes)}`,
    ],
    ["begins", place(first)],
    ["newest", place(last)],
    ...sinks.map((sink) => [`sink ${sink.sink}`, sinkText(sink)]),
    ...Object.entries(writer).map(([name, durations]) => [name, durationsText(durations)]),
  ]);
}

function place(found: StatusPlace | undefined): string {
  if (found === undefined) return "nothing";
  return `epoch ${found.epochNumber}, sequence ${found.sequence}, ${found.time}`;
}

function sinkText(sink: SinkStatus): string {
  const { enabled, checkpoint, position, behindRecords, behindBytes, savedTime } = sink;
  const parts = enabled ? [] : ["disabled"];
  if (position === undefined) {
    parts.push(checkpoint === "damaged" ? "checkpoint damaged" : "no checkpoint");
  } else {
    parts.push(`epoch ${position.epochNumber}, sequence ${position.sequence}, saved ${savedTime}`);
  }
  const records = behindRecords === undefined ? "" : `${countOf(behindRecords, "record")}, `;
  parts.push(`behind by ${records}up to ${formatBytes(behindBytes)}`);
  return parts.join(", ");
}
