import type { SinkConfiguration } from "../../config/sink-entry.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { isOutOfMemory } from "../../errors/out-of-memory.ts";
import type { CertwireEvent } from "../../events/event.ts";
import { kindOf } from "../../events/event-kind.ts";
import { jsonText } from "../../events/json-text.ts";
import { eventOf } from "../../events/outbound-event.ts";
import { requestIdOf } from "../../events/selection.ts";
import { shapeEvent } from "../../events/shape-event.ts";
import { shrinkEvent } from "../../events/shrink-event.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { eventsOfFile } from "../../sources/event-file.ts";
import { exitCodes } from "../exit-codes.ts";
import { inLine, say } from "../output.ts";
import { headingOf, linesOf, type SampleRow, tableHead } from "../sample-table.ts";
import { stopSignal } from "../stop-signal.ts";

/** What becomes of one event of a sample at one sink, in JSON. */
interface SampleEntry extends SampleRow {
  readonly sink: string;
  readonly id: string;
  /** As the sink publishes it; absent for one that it does not get. */
  readonly event?: CertwireEvent;
}

/**
 * Rejects if the first event of a sample cannot be read. Refuses standard input, which can be read once, while each sink
 * reads the sample anew.
 */
export async function assertSample(path: string): Promise<void> {
  if (path === "-") {
    const hint =
      "Write the events to a file first: each sink reads the sample, and a pipe can be read once.";
    throw new CertwireError("CERTWIRE_USAGE", "--sample needs a file", { hint });
  }
  const signal = standardOutput().ended;
  for await (const _ of eventsOfFile(path, { skip: () => undefined }, signal)) break;
}

/** Prints what each sink makes of each event of a file, and connects to nothing. */
export async function printSample(path: string, sinks: readonly SinkConfiguration[]) {
  const output = standardOutput();
  const signal = stopSignal();
  for (const sink of sinks) {
    const { name } = sink.options;
    await output.print(`\n${headingOf(name, sink.destination)}\n${tableHead}\n`);
    let [events, leftOut] = [0, 0];
    for await (const { event: _, ...row } of entriesOf(path, sink, signal)) {
      events += 1;
      if (row.leftOutBy !== undefined) leftOut += 1;
      await output.print(`${linesOf(row).join("\n")}\n`);
    }
    if (signal.aborted) break;
    await output.print(`${events} events, ${leftOut} left out\n`);
  }
  if (signal.aborted) process.exitCode = exitCodes.interrupted;
}

/** The same as members of a JSON list, with the whole events, after a text that begins the list. */
export async function printSampleJson(path: string, sinks: readonly SinkConfiguration[]) {
  const output = standardOutput();
  const signal = stopSignal();
  let separator = "";
  for (const sink of sinks) {
    for await (const entry of entriesOf(path, sink, signal)) {
      await output.print(`${separator}\n${jsonText(entry)}`);
      separator = ",";
    }
  }
  if (signal.aborted) process.exitCode = exitCodes.interrupted;
}

async function* entriesOf(
  path: string,
  sink: SinkConfiguration,
  stop: AbortSignal,
): AsyncGenerator<SampleEntry> {
  let torn = 0;
  const skip = (): void => {
    torn += 1;
  };
  const signal = AbortSignal.any([stop, standardOutput().ended]);
  for await (const read of eventsOfFile(path, { skip }, signal)) {
    // The sample stands for events as they happen.
    const { replayed: _, ...event } = read;
    yield entryOf(event, sink);
  }
  if (torn > 0) say(`${torn} lines of ${inLine(path)} are not JSON and were left out`);
}

function entryOf(event: CertwireEvent, sink: SinkConfiguration): SampleEntry {
  const { filter, redactor, router, options } = sink;
  const requestId = requestIdOf(event);
  const about = {
    sink: options.name,
    id: event.id,
    kind: kindOf(event),
    ...(requestId !== undefined && { requestId }),
  };
  const leftOutBy = filter.leftOutBy(event);
  if (leftOutBy !== undefined) return { ...about, leftOutBy };
  const maxBytesAt = () => options.limits.maxEventBytes;
  try {
    const outbound = shapeEvent(event, { redactor, router, shrink: shrinkEvent, maxBytesAt });
    const destination = sink.place(outbound.destination);
    return { ...about, destination, bytes: outbound.json.length, event: eventOf(outbound) };
  } catch (error) {
    if (isOutOfMemory(error)) throw error;
    // As the service does; the error may show what the sink must not.
    return { ...about, destination: "dead letter (unencodable)" };
  }
}
