import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import pino from "pino";
import type { JournalPosition } from "../../src/journal/position.ts";
import type { PipelineLimits } from "../../src/pipeline/limits.ts";
import { PipelineMonitor } from "../../src/pipeline/monitor.ts";
import { Pipeline, type PipelineOptions } from "../../src/pipeline/pipeline.ts";
import type { Sink } from "../../src/sinks/sink.ts";
import type { EventSource } from "../../src/sources/event-source.ts";
import { type DeadLetter, DeadLetterFile } from "../../src/state/dead-letter.ts";
import { patienceMs } from "./until.ts";

/** Settings of a pipeline under test; quick retries by default. */
export type PipelineSettings = Partial<PipelineLimits> &
  Partial<
    Pick<
      PipelineOptions,
      | "checkpoints"
      | "checkpointIntervalMs"
      | "drainTimeoutMs"
      | "filter"
      | "redactor"
      | "routedKinds"
      | "router"
      | "shrink"
    >
  >;

/** A pipeline under test with what it writes. */
export async function testPipeline(
  context: TestContext,
  source: EventSource,
  sink: Sink,
  settings: PipelineSettings = {},
) {
  const directory = await mkdtemp(join(tmpdir(), "certwire-pipeline-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const deadLetterPath = join(directory, "dead-letters.ndjson");
  const saved: JournalPosition[] = [];
  const logLines: Record<string, unknown>[] = [];
  const log = pino(
    { level: "debug" },
    { write: (line: string) => void logLines.push(JSON.parse(line)) },
  );
  const monitor = new PipelineMonitor(log);
  const { checkpoints, checkpointIntervalMs, drainTimeoutMs, ...shape } = settings;
  const { filter, redactor, routedKinds, router, shrink, ...limits } = shape;
  const pipeline = new Pipeline({
    source,
    sink,
    limits: {
      maxInFlightEvents: 4096,
      maxInFlightBytes: 16 * 1024 * 1024,
      retryInitialMs: 1,
      retryMaxMs: 5,
      deadLetterAfterSeconds: 0,
      maxDeadLetterMegabytes: 1024,
      ...limits,
    },
    ...(filter && { filter }),
    ...(redactor && { redactor }),
    ...(routedKinds && { routedKinds }),
    ...(router && { router }),
    shrink: shrink ?? ((event) => event),
    deadLetters: new DeadLetterFile(deadLetterPath),
    monitor,
    checkpoints: {
      keep: async () => undefined,
      save: async (position) => void saved.push(position),
      ...checkpoints,
    },
    checkpointIntervalMs: checkpointIntervalMs ?? 5,
    drainTimeoutMs: drainTimeoutMs ?? patienceMs,
  });
  const deadLetters = async () => {
    const lines = (await readFile(deadLetterPath, "utf8")).trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line) as DeadLetter);
  };
  return { pipeline, monitor, saved, logLines, deadLetters };
}

/** The signal of a run that is never stopped. */
export const neverStopped = new AbortController().signal;

/** Numbers from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
