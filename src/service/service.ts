import { join } from "node:path";
import type { Logger } from "pino";
import type { ResolvedConfig } from "../config/load.ts";
import type { SinkConfiguration } from "../config/sink-entry.ts";
import { CaIdMemory } from "../state/ca-id-memory.ts";
import { eventsOfFrame } from "../sources/events-of-frame.ts";
import { frameTypes } from "../journal/frame.ts";
import { shrinkEvent } from "../events/shrink-event.ts";
import { CheckpointStore, checkpointPath } from "../state/checkpoint-store.ts";
import { openJournalContext } from "../sources/journal-context.ts";
import { LateFrameSource } from "../journal/frame-source.ts";
import { JournalReader } from "../journal/journal-reader.ts";
import type { NativeFileLock, NativeReaderStats } from "../native/addon.ts";
import { DeadLetterFile } from "../state/dead-letter.ts";
import { JournalEventSource } from "../sources/event-source.ts";
import { describeError, InternalEvents } from "../pipeline/internal-events.ts";
import { Pipeline, type PipelineStats } from "../pipeline/pipeline.ts";
import { type Observe, ObservedSink } from "./observed-sink.ts";
import { keepProgressLog, logProgress } from "./progress-log.ts";
import { keepRetention, type RetentionOptions } from "./retention-task.ts";
import { lockState } from "../state/state-lock.ts";

/** Parts of a service that are not in its configuration. */
export interface ServiceOptions {
  readonly config: ResolvedConfig;
  readonly log: Logger;
  /** Sees every acknowledged event; default nobody. */
  readonly observe?: Observe;
}

/** A look at the way from the journal to one sink. */
export interface SinkStats extends PipelineStats {
  /** Counters of its journal reader; absent before the first read. */
  readonly reader?: NativeReaderStats;
}

interface Member {
  readonly name: string;
  readonly pipeline: Pipeline;
  readonly reader: () => NativeReaderStats | undefined;
  readonly checkpoints: CheckpointStore;
}

const mebibyte = 2 ** 20;

/** The service: one pipeline for each enabled sink, from the journal to its broker. */
export class Service {
  readonly #lock: NativeFileLock;
  readonly #members: readonly Member[];
  readonly #retention: RetentionOptions;

  private constructor(
    lock: NativeFileLock,
    members: readonly Member[],
    { config, log }: ServiceOptions,
  ) {
    this.#lock = lock;
    const { directory, replayWindowDays, maxMegabytes, minFreeMegabytes } = config.journal;
    this.#members = members;
    this.#retention = {
      directory,
      policy: {
        replayWindowMs: replayWindowDays * 86_400_000,
        maxBytes: maxMegabytes * mebibyte,
        minFreeBytes: minFreeMegabytes * mebibyte,
      },
      checkpoints: new Map(members.map(({ name, checkpoints }) => [name, checkpoints])),
      log,
    };
  }

  /**
   * Locks the state directory, opens the checkpoints and makes the pipelines. Rejects with a
   * CertwireError.
   */
  static async create(options: ServiceOptions): Promise<Service> {
    const lock = await lockState(options.config.state.directory);
    try {
      return new Service(lock, await createMembers(options), options);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /**
   * Publishes until the signal is aborted, then drains and unlocks the state directory. A fault of one
   * pipeline stops all.
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#publish(signal);
    } finally {
      this.#lock.release();
    }
  }

  async #publish(signal: AbortSignal): Promise<void> {
    const fault = new AbortController();
    const stop = AbortSignal.any([signal, fault.signal]);
    const retention = keepRetention(this.#retention, stop);
    const progress = { stats: () => this.stats(), log: this.#retention.log };
    const progressLog = keepProgressLog(progress, stop);
    await Promise.all(
      this.#members.map(async ({ pipeline }) => {
        await pipeline.run(stop).catch((error: unknown) => fault.abort(error));
      }),
    );
    await Promise.all([retention, progressLog]);
    logProgress(progress);
    await Promise.all(this.#members.map(({ checkpoints }) => checkpoints.close()));
    fault.signal.throwIfAborted();
  }

  /** A look at every pipeline, in the order of the configuration. */
  stats(): SinkStats[] {
    return this.#members.map(({ pipeline, reader }) => {
      const stats = reader();
      return { ...pipeline.stats(), ...(stats && { reader: stats }) };
    });
  }
}

/** Where the dead letters of a sink are. */
export function deadLetterPath(stateDirectory: string, sink: string): string {
  return join(stateDirectory, "dead-letters", `${sink}.ndjson`);
}

async function createMembers(options: ServiceOptions): Promise<Member[]> {
  const { config, log } = options;
  const enabled = config.sinks.filter((sink) => sink.options.enabled);
  const caIds = await CaIdMemory.open(config.state.directory, (error) =>
    log.error(describeError(error), "cannot write down the id of the CA"),
  );
  return Promise.all(enabled.map((sink) => createMember(sink, caIds, options)));
}

async function createMember(
  configured: SinkConfiguration,
  caIds: CaIdMemory,
  options: ServiceOptions,
): Promise<Member> {
  const { config, observe } = options;
  const { journal, state } = config;
  const { directory } = journal;
  const { limits } = configured;
  const { name } = configured.options;
  const log = options.log.child({ sink: name });
  const events = new InternalEvents(log);
  const sink = await configured.create(log);
  const checkpoints = await CheckpointStore.open(checkpointPath(state.directory, name));
  events.started(checkpoints.position, checkpoints.state);
  // A sink that cannot be opened for a long time may lose what is deleted meanwhile.
  let reader: JournalReader | undefined;
  const frames = new LateFrameSource(() => {
    reader = new JournalReader({
      directory,
      quarantineDirectory: join(state.directory, "quarantine"),
      mode: journal.mode,
      position: checkpoints.position,
      idlePollMs: journal.pollMs,
      positionLost: () => log.warn("the place of the checkpoint is not in the journal any more"),
    });
    return reader;
  });
  const context = await openJournalContext(directory, config.events, caIds, checkpoints.position);
  const pipeline = new Pipeline({
    source: new JournalEventSource(frames, (frame) => {
      const made = eventsOfFrame(frame, context);
      if (frame.type === frameTypes.gap) events.gapRead(made[0]?.id ?? "", made[0]?.data ?? {});
      return made;
    }),
    sink: observe ? new ObservedSink(sink, observe) : sink,
    limits,
    shrink: shrinkEvent,
    deadLetters: new DeadLetterFile(deadLetterPath(state.directory, name)),
    events,
    checkpoints,
  });
  return { name, pipeline, reader: () => reader?.stats(), checkpoints };
}
