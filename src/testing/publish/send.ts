import pino from "pino";
import { readSecret } from "../../config/secrets.ts";
import { parseSinkEntry, resolveSink, type SinkConfiguration } from "../../config/sink-entry.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { CertwireEvent } from "../../events/event.ts";
import type { Selection } from "../../events/selection.ts";
import { shrinkEvent } from "../../events/shrink-event.ts";
import { PipelineMonitor } from "../../pipeline/monitor.ts";
import { Pipeline } from "../../pipeline/pipeline.ts";
import { sinkKinds } from "../../sinks/registry.ts";
import type { SecretReference } from "../../sinks/secret-reference.ts";
import { ReplaySource } from "../../sources/replay-source.ts";
import type { DeadLetter, DeadLetters } from "../../state/dead-letter.ts";
import { usageError } from "../ca/usage-error.ts";
import type { PublishTarget } from "./publish.ts";

const defaultTimeoutMs = 60_000;

/** What is sent, and for how long it may be tried. */
export interface SendOptions {
  readonly selection: Selection;
  /** Default 60 000. */
  readonly timeoutMs?: number;
}

/** Stands in the entry of the sink for a password that the caller gave as text. */
const inMemoryReference = "password of the target";

/** Most dead letters and log lines that an error quotes. */
const quoted = 5;

/** Publishes events by a pipeline of the service; see `publish`. */
export async function send(
  events: AsyncIterable<CertwireEvent>,
  target: PublishTarget,
  { selection, timeoutMs = defaultTimeoutMs }: SendOptions,
): Promise<number> {
  const sink = sinkOf(target);
  const source = new ReplaySource(events, selection, sink.filter);
  const letters = new LettersInMemory();
  const problems: string[] = [];
  const log = pino(
    { level: "warn" },
    { write: (line: string) => void problems.push(textOf(line)) },
  );
  const { limits, redactor, router } = sink;
  const pipeline = new Pipeline({
    source,
    sink: await sink.create(log),
    limits,
    shrink: shrinkEvent,
    ...(redactor && { redactor }),
    ...(router && { router }),
    deadLetters: letters,
    monitor: new PipelineMonitor(log),
    drainTimeoutMs: 0,
  });
  const deadline = AbortSignal.timeout(timeoutMs);
  await pipeline.run(deadline);
  source.throwIfFailed();
  const { acknowledgedEvents } = pipeline.stats();
  if (letters.all.length > 0) throw refused(letters.all, acknowledgedEvents, sink.destination);
  if (deadline.aborted) throw late(timeoutMs, acknowledgedEvents, sink.destination, problems);
  return acknowledgedEvents;
}

/** The sink of a target. Throws CERTWIRE_TESTING_OPTIONS. */
function sinkOf(target: PublishTarget): SinkConfiguration {
  const { password, ...entry } = typeof target === "string" ? { url: target } : { ...target };
  const inMemory = typeof password === "string" ? password : undefined;
  const reference = inMemory === undefined ? password : { environment: inMemoryReference };
  // An event that no queue takes is reported at once: a test does not wait for one to be declared.
  const defaults = { name: "test", deadLetterAfterSeconds: 0 };
  const given = { ...defaults, ...entry, ...(reference !== undefined && { password: reference }) };
  const { entry: parsed, issues } = parseSinkEntry(given, sinkKinds);
  if (parsed === undefined) {
    const reasons = issues.map(({ path = [], message = "is invalid" }) =>
      [path.join("."), message].join(" ").trim(),
    );
    throw usageError(`target: ${reasons.join("; ")}`);
  }
  const baseDirectory = process.cwd();
  const secret = (wanted: SecretReference): string =>
    inMemory !== undefined && "environment" in wanted && wanted.environment === inMemoryReference
      ? inMemory
      : readSecret(wanted, baseDirectory);
  return resolveSink(parsed, { baseDirectory, secret });
}

/** Keeps dead letters, which fail the test. */
class LettersInMemory implements DeadLetters {
  readonly all: DeadLetter[] = [];
  readonly fill = 0;

  append(letter: DeadLetter): Promise<void> {
    this.all.push(letter);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function refused(
  letters: readonly DeadLetter[],
  acknowledged: number,
  destination: string,
): CertwireError {
  const reasons = new Set(letters.map(({ reason, message }) => `${reason}: ${message}`));
  return new CertwireError(
    "CERTWIRE_TESTING_PUBLISH",
    `${destination} did not take ${letters.length} of ${letters.length + acknowledged} events: ${[...reasons].slice(0, quoted).join("; ")}`,
  );
}

function late(
  timeoutMs: number,
  acknowledged: number,
  destination: string,
  problems: readonly string[],
): CertwireError {
  const last = problems.length > 0 ? `: ${problems.slice(-quoted).join("; ")}` : "";
  return new CertwireError(
    "CERTWIRE_TESTING_PUBLISH",
    `${destination} confirmed only ${acknowledged} events within ${timeoutMs} ms${last}`,
  );
}

/** The message of a line of the log, with that of its error. */
function textOf(line: string): string {
  const { msg, error } = JSON.parse(line) as { msg?: string; error?: unknown };
  const reason = typeof error === "string" ? error : undefined;
  return reason === undefined ? (msg ?? "") : `${msg ?? ""}: ${reason}`;
}
