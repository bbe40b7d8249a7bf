import type { Logger } from "pino";
import type { HttpOptions } from "../config/http-options.ts";
import type { ResolvedConfig } from "../config/load.ts";
import type { SinkConfiguration } from "../config/sink-entry.ts";
import { describeError } from "../errors/describe-error.ts";
import type { EventLog } from "../event-log/event-log.ts";
import type { CaIdentity } from "../events/ca-identity.ts";
import type { CaMemory } from "../events/ca-memory.ts";
import { shrinkEvent } from "../events/shrink-event.ts";
import { packageVersion } from "../files/package-version.ts";
import { diskPlaces, retentionPolicy } from "../health/from-config.ts";
import { LateFrameSource } from "../journal/frame-source.ts";
import { JournalReader } from "../journal/journal-reader.ts";
import { logLine } from "../log/log-line.ts";
import type { NativeFileLock } from "../native/addon.ts";
import { PipelineMonitor } from "../pipeline/monitor.ts";
import { type Observe, ObservedSink } from "../pipeline/observed-sink.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import type { Sink } from "../sinks/sink.ts";
import { openJournalContext } from "../sources/journal-context.ts";
import { JournalSource } from "../sources/journal-source.ts";
import { CaIdFile, openCaMemory } from "../state/ca-id-memory.ts";
import { CheckpointStore } from "../state/checkpoint-store.ts";
import { DeadLetterFile, deadLetterLimits } from "../state/dead-letter.ts";
import { type StateLayout, stateLayout } from "../state/layout.ts";
import { lockState } from "../state/state-lock.ts";
import { BrokerCertificates } from "./broker-certificates.ts";
import { keepEventLog } from "./event-log-task.ts";
import { keepHealthLog } from "./health-log.ts";
import { History } from "./history.ts";
import { LiveStatus, type Observation, type SinkView } from "./live-status.ts";
import { keepProgressLog, logProgress } from "./progress-log.ts";
import { readRoutedKinds } from "./read-routed-kinds.ts";
import { RecentEvents } from "./recent-events.ts";
import type { OpenCaDatabase, ReconcileTask } from "./reconcile-task.ts";
import { keepRetention, type RetentionOptions } from "./retention-task.ts";
import { SeenGaps } from "./seen-gaps.ts";
import type { SinkStats } from "./sink-stats.ts";
import { keepStatusFile } from "./status-file-task.ts";

/** A service's configuration and what it does not say. */
export interface ServiceOptions {
  readonly config: ResolvedConfig;
  readonly log: Logger;
  /** Called with the events of each sink as they are acknowledged. Default nothing. */
  readonly observe?: Observe;
  /** The event log of Windows. Default none. */
  readonly eventLog?: EventLog;
  /** Opens the CA's database for the section `reconcile` of the configuration, which needs it. */
  readonly caDatabase?: OpenCaDatabase;
  /** How often it checks what changes without an event. */
  readonly intervals?: ServiceIntervals;
}

/** How often a service checks what changes without an event, in ms. */
export interface ServiceIntervals {
  /** Longest time between two rounds of retention. Default 60000. */
  readonly retentionMs?: number;
  /** Time between two assessments of the health for the log. Default 30000. */
  readonly healthLogMs?: number;
  /** Time between two writes of the status file. Default 10000. */
  readonly statusFileMs?: number;
  /** Time between two lines about the progress of a sink. Default 300000. */
  readonly progressLogMs?: number;
  /** Time between two checks of the connection of a sink. Default 1000. */
  readonly connectionCheckMs?: number;
}

interface Member {
  readonly name: string;
  readonly pipeline: Pipeline;
  readonly monitor: PipelineMonitor;
  readonly sink: Sink;
  readonly reader: () => JournalReader | undefined;
  readonly identity: CaIdentity;
  readonly checkpoints: CheckpointStore;
}

/**
 * The service: for each enabled sink one pipeline with its own journal reader and checkpoint, and beside
 * them the retention task and the progress log. `run` may be called once.
 */
export class Service {
  readonly #lock: NativeFileLock;
  readonly #members: readonly Member[];
  readonly #retention: RetentionOptions;
  readonly #status: LiveStatus;
  readonly #http: HttpOptions | undefined;
  readonly #eventLog: EventLog | undefined;
  readonly #brokerCertificates: BrokerCertificates;
  readonly #reconcile: ReconcileTask | undefined;
  readonly #intervals: ServiceIntervals;
  readonly #statusPath: string;

  private constructor(
    lock: NativeFileLock,
    members: readonly Member[],
    gaps: SeenGaps,
    { config, log, eventLog, intervals = {} }: ServiceOptions,
    reconcile: ReconcileTask | undefined,
  ) {
    this.#lock = lock;
    const { directory } = config.journal;
    this.#members = members;
    this.#retention = {
      directory,
      policy: retentionPolicy(config),
      checkpoints: new Map(members.map(({ name, checkpoints }) => [name, checkpoints])),
      log,
      ...(intervals.retentionMs !== undefined && { intervalMs: intervals.retentionMs }),
    };
    this.#intervals = intervals;
    this.#statusPath = stateLayout(config.state.directory).status;
    this.#http = config.http;
    this.#brokerCertificates = new BrokerCertificates(
      config.sinks.filter((sink) => sink.options.enabled),
    );
    this.#eventLog = eventLog;
    this.#reconcile = reconcile;
    this.#status = new LiveStatus({
      places: () => diskPlaces(config),
      views: () => members.map(viewOf),
      gaps: () => gaps.counts,
      limits: config.health,
      brokerCertificates: () => this.#brokerCertificates.ends,
      reconcile: () => reconcile?.facts,
    });
  }

  /**
   * Locks the state directory, opens the checkpoints and creates the pipelines; connects to nothing. Rejects
   * with a CertwireError, with the lock released.
   */
  static async create(options: ServiceOptions): Promise<Service> {
    const layout = stateLayout(options.config.state.directory);
    const lock = await lockState(layout);
    try {
      const gaps = new SeenGaps();
      const members = await createMembers(options, layout, gaps);
      return new Service(lock, members, gaps, options, await createReconcile(options, layout));
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /**
   * Publishes until the signal is aborted, then drains and unlocks the state directory. Rejects only for an
   * internal error of a pipeline, which stops all of them.
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
    const { healthLogMs, progressLogMs, statusFileMs } = this.#intervals;
    const progress = {
      stats: () => this.stats(),
      log: this.#retention.log,
      ...(progressLogMs !== undefined && { intervalMs: progressLogMs }),
    };
    const progressLog = keepProgressLog(progress, stop);
    const endpoint = this.#serve(stop);
    const reconciling = this.#reconcile?.keep(stop);
    const healthLog = keepHealthLog(
      {
        status: this.#status,
        log: this.#retention.log,
        ...(healthLogMs !== undefined && { intervalMs: healthLogMs }),
      },
      stop,
    );
    const statusFile = keepStatusFile(
      {
        status: this.#status,
        path: this.#statusPath,
        log: this.#retention.log,
        ...(statusFileMs !== undefined && { intervalMs: statusFileMs }),
      },
      stop,
    );
    // A drain may still make dead letters, which have an entry too.
    const drained = new AbortController();
    const eventLog = this.#keepEventLog(drained.signal);
    await Promise.all(
      this.#members.map(async ({ pipeline }) => {
        await pipeline.run(stop).catch((error: unknown) => fault.abort(error));
      }),
    );
    drained.abort();
    await Promise.all([
      retention,
      progressLog,
      healthLog,
      statusFile,
      eventLog,
      endpoint,
      reconciling,
    ]);
    logProgress(progress);
    await Promise.all(this.#members.map(({ checkpoints }) => checkpoints.close()));
    const acknowledged = this.stats().reduce((sum, each) => sum + each.acknowledgedEvents, 0);
    fault.signal.throwIfAborted();
    this.#eventLog?.report("service-stopped", [String(acknowledged)]);
  }

  async #keepEventLog(signal: AbortSignal): Promise<void> {
    const eventLog = this.#eventLog;
    if (eventLog === undefined) return;
    const names = this.#members.map(({ name }) => name).join(", ");
    eventLog.report("service-started", [packageVersion(), this.#retention.directory, names]);
    await keepEventLog({ status: this.#status, eventLog, log: this.#retention.log }, signal);
  }

  /** The endpoint's code is loaded only where it is used. */
  async #serve(signal: AbortSignal): Promise<void> {
    if (this.#http === undefined) return;
    const { log, directory } = this.#retention;
    const status = this.#status;
    const history = new History(() => this.#members.map(viewOf));
    const recent = new RecentEvents({ directory, newest: () => status.newest });
    const sources = {
      observe: () => status.observe(),
      history: (sinceMs?: number) => history.since(sinceMs),
      recentEvents: () => recent.read(),
    };
    // Nobody else shows them.
    const asking = this.#brokerCertificates.keep(signal);
    try {
      const { serveStatus } = await import("../http/serve-status.ts");
      const serving = serveStatus({ http: this.#http, log, ...sources }, signal);
      await Promise.all([serving, history.keep(signal)]);
    } catch (error) {
      // Not even a missing file of the endpoint's code may end the service.
      const message = "the HTTP endpoint has ended; events are published all the same";
      logLine(log, message, describeError(error));
    }
    await asking;
  }

  /** Counters and state of every pipeline, in the order of the configuration. */
  stats(): SinkStats[] {
    return this.#members.map(statsOf);
  }

  /** State of health with its reasons, and what it follows from; never rejects. */
  observe(): Promise<Observation> {
    return this.#status.observe();
  }
}

function statsOf({ pipeline, reader }: Member): SinkStats {
  const stats = reader()?.stats();
  return { ...pipeline.stats(), ...(stats && { reader: stats }) };
}

function viewOf(member: Member): SinkView {
  const { monitor, sink } = member;
  const reader = member.reader();
  return {
    stats: statsOf(member),
    troubles: { ...monitor.troubles(), isBlocked: sink.isBlocked === true },
    tally: monitor.tally(),
    newest: reader?.newest,
    writerTimes: reader?.writerTimes,
    caNotAfterMs: member.identity.notAfterMs,
  };
}

/** What every member of a service shares. */
interface Shared extends ServiceOptions {
  readonly layout: StateLayout;
  readonly caMemory: CaMemory;
  readonly caIdFile: CaIdFile;
  readonly gaps: SeenGaps;
}

async function createMembers(
  options: ServiceOptions,
  layout: StateLayout,
  gaps: SeenGaps,
): Promise<Member[]> {
  const { config, log } = options;
  const enabled = config.sinks.filter((sink) => sink.options.enabled);
  const caIdFile = new CaIdFile(layout.caIds, (error) =>
    logLine(log, "cannot write the id of the CA to disk", describeError(error)),
  );
  const caMemory = await openCaMemory(caIdFile);
  const shared = { ...options, layout, caMemory, caIdFile, gaps };
  return Promise.all(enabled.map((sink) => createMember(sink, shared)));
}

/** The code of comparisons is loaded only where they are made. */
async function createReconcile(
  { config, log, caDatabase }: ServiceOptions,
  layout: StateLayout,
): Promise<ReconcileTask | undefined> {
  const { reconcile: schedule } = config;
  if (schedule === undefined || caDatabase === undefined) return undefined;
  const { ReconcileTask } = await import("./reconcile-task.ts");
  return new ReconcileTask({ config, schedule, layout, openDatabase: caDatabase, log });
}

async function createMember(configured: SinkConfiguration, shared: Shared): Promise<Member> {
  const { config, observe, layout, caMemory, caIdFile, gaps, intervals = {} } = shared;
  const { connectionCheckMs } = intervals;
  const { directory, mode, pollMs } = config.journal;
  const { limits, filter, redactor, router } = configured;
  const { name, detail } = configured.options;
  const log = shared.log.child({ sink: name });
  const monitor = new PipelineMonitor(log);
  const sink = await configured.create(log);
  const checkpoints = await CheckpointStore.open(layout.checkpoint(name));
  const { routing } = configured;
  const routedKinds = await readRoutedKinds({ name, routing }, layout, log);
  monitor.started(checkpoints.position, checkpoints.state);
  // The reader starts at the checkpoint of its first read: until then retention may move the checkpoint.
  let reader: JournalReader | undefined;
  const frames = new LateFrameSource(() => {
    reader = new JournalReader({
      directory,
      quarantineDirectory: layout.quarantine,
      mode,
      position: checkpoints.position,
      idlePollMs: pollMs,
      positionLost: () => logLine(log, "the checkpoint's position is no longer in the journal", {}),
    });
    return reader;
  });
  const eventOptions = { ...config.events, detail };
  const context = await openJournalContext(directory, eventOptions, caMemory, checkpoints.position);
  const source = new JournalSource({
    frames,
    context,
    ready: () => caIdFile.pending,
    gapRead: ({ id, data }) => {
      monitor.gapRead(id, data);
      gaps.take(id, data["reason"]);
    },
  });
  const pipeline = new Pipeline({
    source,
    sink: observe ? new ObservedSink(sink, observe) : sink,
    limits,
    filter,
    ...(redactor && { redactor }),
    ...(router && { router }),
    shrink: shrinkEvent,
    deadLetters: new DeadLetterFile(layout.deadLetters(name), deadLetterLimits(limits)),
    monitor,
    checkpoints,
    ...(connectionCheckMs !== undefined && { connectionCheckMs }),
    ...(routedKinds && { routedKinds }),
  });
  const { identity } = context;
  return { name, pipeline, monitor, sink, reader: () => reader, identity, checkpoints };
}
