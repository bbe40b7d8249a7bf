import { setMaxListeners } from "node:events";
import { clock } from "../clock.ts";
import { isOutOfMemory } from "../errors/out-of-memory.ts";
import type { CertwireEvent } from "../events/event.ts";
import type { EventFilter } from "../events/event-filter.ts";
import { kindOf } from "../events/event-kind.ts";
import { eventOf, type OutboundEvent, type ShrinkEvent } from "../events/outbound-event.ts";
import type { Redactor } from "../events/redaction/redactor.ts";
import type { Router } from "../events/router.ts";
import type { Sink, SinkFailure } from "../sinks/sink.ts";
import type { EventSource, RecordChunk, SourcedRecord } from "../sources/event-source.ts";
import { type DeadLetters, deadRecord, recordId } from "../state/dead-letter.ts";
import { AcknowledgedPrefix } from "./acknowledged-prefix.ts";
import { Burial } from "./burial.ts";
import { CheckpointSaver, type Checkpoints } from "./checkpoint-saver.ts";
import { ConnectionWatch } from "./connection-watch.ts";
import { EventEncoder, retryRecord, type UnencodedEvent } from "./event-encoder.ts";
import { Lane, type LaneHost, type QueuedEvent } from "./lane.ts";
import type { PipelineLimits } from "./limits.ts";
import type { PipelineHealth, PipelineMonitor } from "./monitor.ts";
import { Retry, type RetryPolicy, retryUntilDone } from "./retry.ts";
import { RoutedKinds, type RoutedKindsStore } from "./routed-kinds.ts";
import type { PipelineStats } from "./stats.ts";
import { UnroutableGrace } from "./unroutable-grace.ts";
import { isDoneBeforeAbort, pause } from "./waiting.ts";

/** Parts and settings of a pipeline, which owns source, sink and dead-letter file and closes them. */
export interface PipelineOptions {
  /** Where events come from. */
  readonly source: EventSource;
  /** Where events go; not opened yet. */
  readonly sink: Sink;
  /** Limits of what is in flight, and the delays of every retry. */
  readonly limits: PipelineLimits;
  /** Chooses the events that the sink gets; the others are finished as they are read. Default: all of them. */
  readonly filter?: EventFilter;
  /** Takes out of an event what the sink does not show, before anything else sees it. Default: nothing. */
  readonly redactor?: Redactor;
  /** Chooses where each event goes. Default: the sink's own destination. */
  readonly router?: Router;
  /** Makes an event fit its destination. */
  readonly shrink: ShrinkEvent;
  /** Where events go that can never be published. */
  readonly deadLetters: DeadLetters;
  /** Logs and counts what happens. */
  readonly monitor: PipelineMonitor;
  /** Where the position is saved. Default nowhere, as for a replay. */
  readonly checkpoints?: Checkpoints;
  /** Where it is kept which kinds of events the broker has routed. Default: in memory. */
  readonly routedKinds?: RoutedKindsStore;
  /** Within which time a new position is saved, in ms. Default 1000. */
  readonly checkpointIntervalMs?: number;
  /** How often the connection of the sink is checked, in ms. Default 1000. */
  readonly connectionCheckMs?: number;
  /** How long to wait for acknowledgements after a stop, in ms. Default 10000. */
  readonly drainTimeoutMs?: number;
}

/** How long a sink may take to end its publishes after they were aborted, in ms. */
const abortGraceMs = 2000;
/**
 * Longest pause before events are read again after a failure, in ms. A read costs little, and live events may have come
 * meanwhile: a reader that has reached the end of the journal and cannot tell whether its epoch is live reports a failure.
 */
const longestReadPauseMs = 2000;
/** How often a drain checks whether waiting still helps, in ms. */
const drainCheckMs = 100;

/**
 * Publishes the events of a source to one sink. Pipelines share nothing, so a dead sink delays no other. A
 * pipeline runs once, and its owner only calls `run` and `stats`:
 *
 * | state | what happens | next state |
 * |---|---|---|
 * | `connecting` | `Sink.open` is retried without limit; nothing is read | `publishing` |
 * | `publishing` | records are read and decoded; the lanes publish their events | the next three |
 * | `retrying`, `alarm` | the same, but some lane repeats a failed batch | `publishing` |
 * | `draining` | nothing is read; the lanes publish what they have | `stopped` |
 * | `stopped` | the last checkpoint is saved; source, sink and dead letters are closed | none |
 *
 * A stop leads from any state to `draining`, which ends when all events are finished, after
 * `drainTimeoutMs`, or as soon as no lane can get an acknowledgement before someone acts. A source that ends does so too, but only once all of its events are finished.
 *
 * Each record gets a ticket in the `AcknowledgedPrefix`; an event is finished when its sink acknowledged it
 * or its dead letter is on disk. An event that the sink does not want is finished at once. The checkpoint follows the prefix, never a single lane. Reading pauses while
 * `maxInFlightEvents` or `maxInFlightBytes` are in flight, which limits memory and duplicates.
 *
 * When a sink reports that its lanes or limits changed (`SinkFailure.scope` is `sink`), the pipeline parks all
 * lanes, opens the sink again, and routes every unacknowledged event to its new lane in the order of reading.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #prefix: AcknowledgedPrefix;
  readonly #saver: CheckpointSaver;
  readonly #routedKinds: RoutedKinds;
  readonly #grace: UnroutableGrace;
  readonly #burial: Burial;
  readonly #encoder: EventEncoder;
  readonly #host: LaneHost;
  readonly #reading: RetryPolicy;
  /** Counts how often the lanes changed without an acknowledgement in between. */
  readonly #reopening: Retry;
  readonly #connection: ConnectionWatch;
  readonly #abort = new AbortController();
  readonly #faults = new AbortController();
  #lanes: Lane[] = [];
  #phase: "connecting" | "running" | "draining" | "stopped" = "connecting";
  #backlog = false;
  #isOpenFailing = false;
  /** True while events are made to fit again, which takes time only when memory is short. */
  #isFitting = false;
  #bytes = 0;
  #changingLanes: Promise<void> | null = null;
  #wake: (() => void) | null = null;

  constructor(options: PipelineOptions) {
    this.#options = options;
    const { sink, monitor, limits, connectionCheckMs: checkMs = 1000 } = options;
    this.#saver = new CheckpointSaver(options.checkpoints, () => this.#prefix.position, monitor);
    this.#prefix = new AcknowledgedPrefix(() => this.#saver.moved());
    // Each lane listens; with more than ten listeners Node prints a warning that is not a log line.
    setMaxListeners(0, this.#abort.signal);
    const retry = { initialMs: limits.retryInitialMs, maxMs: limits.retryMaxMs };
    this.#reopening = new Retry(retry);
    const phase = () =>
      this.#changingLanes !== null ? "closed" : this.#prefix.outstanding > 0 ? "busy" : "idle";
    this.#connection = new ConnectionWatch({ sink, monitor, retry, phase, checkMs });
    this.#reading = { ...retry, maxMs: Math.min(retry.maxMs, longestReadPauseMs) };
    this.#routedKinds = new RoutedKinds({ store: options.routedKinds, retry, monitor });
    this.#grace = new UnroutableGrace(limits.deadLetterAfterSeconds * 1000, {
      accepted: this.#routedKinds,
    });
    this.#host = {
      sink,
      monitor,
      retry,
      grace: this.#grace,
      abort: this.#abort.signal,
      mayWait: () => this.#backlog && !this.#isFull(),
      acknowledged: (done) => this.#acknowledged(done),
      bury: (queued, failure, failed) => this.#buryQueued(queued, failure, failed),
      lanesChanged: (cause) => this.#lanesChanged(cause),
      fault: (error) => this.#faults.abort(error),
    };
    const { deadLetters, shrink, redactor, router } = options;
    this.#burial = new Burial({ sink: sink.name, deadLetters, monitor, retry });
    this.#encoder = new EventEncoder({ sink, shrink, redactor, router, monitor, retry });
  }

  /**
   * Publishes until the source ends or the signal is aborted, then drains, saves the position, and closes
   * source and sink. Rejects only for internal errors; failures of source and sink are retried.
   */
  async run(signal: AbortSignal): Promise<void> {
    const reading = AbortSignal.any([signal, this.#faults.signal]);
    this.#saver.start(this.#options.checkpointIntervalMs ?? 1000);
    try {
      await this.#open(reading);
      this.#connection.start();
      await this.#read(reading);
      await this.#drain(reading);
    } finally {
      this.#connection.stop();
      this.#abort.abort();
      const tooLong = (): Promise<void> => clock.delay(abortGraceMs, { ref: false });
      await Promise.race([this.#parkAll(), tooLong()]);
      await this.#saver.stop();
      // A disk that hangs with these holds up no stop: without them some events wait less.
      await Promise.race([this.#routedKinds.stop(), tooLong()]);
      await this.#close();
    }
    this.#faults.signal.throwIfAborted();
  }

  /** Counters and state now; may be called at any time. */
  stats(): PipelineStats {
    const { sink, monitor } = this.#options;
    const recordedTime = this.#prefix.oldest?.recordedTime;
    return {
      ...monitor.counters(),
      sink: sink.name,
      kind: sink.kind,
      state: this.#phase === "running" ? this.#health : this.#phase,
      isConnected: this.#phase !== "stopped" && this.#lanes.length > 0 && monitor.isConnected,
      lanes: this.#lanes.length,
      inFlightEvents: this.#prefix.outstanding,
      inFlightBytes: this.#bytes,
      position: this.#prefix.position,
      ...(recordedTime !== undefined && { oldestUnacknowledged: recordedTime }),
    };
  }

  /** A destination that accepts nothing does not fail: its batches wait. */
  get #health(): PipelineHealth {
    const { sink, monitor } = this.#options;
    const { health } = monitor;
    return sink.isBlocked === true && health === "publishing" ? "retrying" : health;
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { sink, monitor } = this.#options;
    const isOpen = await retryUntilDone(() => isDoneBeforeAbort(sink.open(signal), signal), {
      policy: this.#host.retry,
      signal,
      // A stop makes the attempt in progress fail.
      failed: (...failure) => {
        if (signal.aborted) return;
        this.#isOpenFailing = true;
        monitor.openFailed(...failure);
      },
    });
    if (isOpen !== true) return;
    this.#isOpenFailing = false;
    this.#lanes = Array.from({ length: sink.lanes }, (_, index) => new Lane(index, this.#host));
    monitor.sinkOpened(sink.lanes);
    if (this.#phase === "connecting") this.#phase = "running";
  }

  async #read(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const chunk = await this.#nextChunk(signal);
      if (chunk === null) return;
      this.#backlog = chunk.more;
      for (const record of chunk.records) {
        if (!(await this.#hasSpace(signal)) || !(await this.#take(record, signal))) return;
      }
      this.#kick();
    }
  }

  async #nextChunk(signal: AbortSignal): Promise<RecordChunk | null> {
    const { source, monitor } = this.#options;
    const chunk = await retryUntilDone(() => source.next(signal), {
      policy: this.#reading,
      signal,
      failed: (...failure) => monitor.sourceFailed(...failure),
    });
    if (chunk !== undefined) monitor.sourceRead();
    return chunk ?? null;
  }

  /** Waits until another record may be in flight; false if the signal was aborted. */
  async #hasSpace(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && this.#isFull()) {
      this.#kick();
      await this.#progress(signal);
    }
    return !signal.aborted;
  }

  /** Waits while the lanes are changing; false if the signal was aborted. */
  async #hasLanes(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && this.#changingLanes !== null) {
      await isDoneBeforeAbort(this.#changingLanes, signal);
    }
    return !signal.aborted;
  }

  /** Waits until a record can be decoded, however long that takes; `undefined` if the signal was aborted. */
  async #decoded(record: SourcedRecord, signal: AbortSignal): Promise<SourcedRecord | undefined> {
    this.#kick();
    const { monitor } = this.#options;
    let decode = (): SourcedRecord => record;
    const step = (): SourcedRecord => {
      const { blocked, ...whole } = decode();
      if (blocked === undefined) return whole;
      decode = blocked.retry;
      throw blocked.cause;
    };
    return retryRecord(step, { policy: this.#host.retry, monitor, signal });
  }

  /** Routes the events of one record; false if the signal was aborted first. */
  async #take(record: SourcedRecord, signal: AbortSignal): Promise<boolean> {
    // No wait without need: each one would let the lanes begin smaller batches.
    const decoded = record.blocked ? await this.#decoded(record, signal) : record;
    if (decoded === undefined) return false;
    const { position, undecodable, ready, frame } = decoded;
    const events = this.#wanted(decoded.events);
    if (ready !== undefined && !(await isDoneBeforeAbort(ready, signal))) return false;
    const count = events.length + (undecodable ? 1 : 0);
    const ticket = this.#prefix.add(position, count, events[0]?.recordedtime);
    if (undecodable) {
      const { frame: broken, cause } = undecodable;
      const dead = {
        reason: "undecodable",
        cause,
        id: recordId(broken),
        kind: "record",
        content: () => ({ record: deadRecord(broken) }),
      } as const;
      if (!(await this.#burial.bury(dead, signal))) return false;
      this.#prefix.acknowledge(ticket);
    }
    for (const event of events) {
      const outbound = this.#encoder.encode(event);
      if (outbound instanceof Error) {
        const unencoded = { ticket, event, frame, cause: outbound };
        if (!(await this.#takeUnencoded(unencoded, signal))) return false;
        continue;
      }
      // The lanes may be changing since a dead letter was written: this event goes to a new one.
      if (this.#changingLanes === null) this.#admit({ ticket, event: outbound });
      else if (!(await this.#admitLater({ ticket, event: outbound }, signal))) return false;
    }
    return true;
  }

  #wanted(events: readonly CertwireEvent[]): readonly CertwireEvent[] {
    const { filter, monitor } = this.#options;
    if (filter === undefined) return events;
    const wanted = events.filter((event) => filter.wants(event));
    monitor.skipped(events.filter((event) => !wanted.includes(event)).map(kindOf));
    return wanted;
  }

  /** Publishes an event that JSON can hold later, or buries it; false if the signal was aborted first. */
  async #takeUnencoded(
    { ticket, event, frame, cause }: UnencodedEvent,
    signal: AbortSignal,
  ): Promise<boolean> {
    const outbound = isOutOfMemory(cause) ? await this.#encodeLater(event, signal) : cause;
    if (outbound === undefined) return false;
    if (!(outbound instanceof Error)) return this.#admitLater({ ticket, event: outbound }, signal);
    const dead = {
      reason: "unencodable",
      cause: outbound,
      id: frame ? recordId(frame) : event.id,
      kind: kindOf(event),
      content: () => (frame ? { record: deadRecord(frame) } : this.#encoder.deadEvent(event)),
    } as const;
    if (!(await this.#burial.bury(dead, signal))) return false;
    this.#prefix.acknowledge(ticket);
    return true;
  }

  #encodeLater(event: CertwireEvent, signal: AbortSignal) {
    this.#kick();
    return this.#encoder.encodeLater(event, signal);
  }

  /** Admits an event once lanes are there, at the size that the sink accepts then; false if the signal was aborted. */
  async #admitLater({ ticket, event }: QueuedEvent, signal: AbortSignal): Promise<boolean> {
    let fitted: OutboundEvent | undefined;
    do {
      if (!(await this.#hasLanes(signal))) return false;
      fitted = await this.#encoder.fit(event, signal);
    } while (this.#changingLanes !== null);
    if (fitted === undefined) return false;
    this.#admit({ ticket, event: fitted });
    return true;
  }

  #admit(queued: QueuedEvent): void {
    this.#route(queued);
    this.#bytes += queued.event.json.length;
  }

  #route(queued: QueuedEvent): void {
    const index = this.#options.sink.laneOf(queued.event);
    const lane = this.#lanes[index];
    if (lane === undefined) throw new RangeError(`there is no lane ${index}`);
    lane.push(queued);
  }

  #kick(): void {
    for (const lane of this.#lanes) lane.kick();
  }

  #isFull(): boolean {
    const { maxInFlightEvents, maxInFlightBytes } = this.#options.limits;
    return this.#prefix.outstanding >= maxInFlightEvents || this.#bytes >= maxInFlightBytes;
  }

  #acknowledged(done: readonly QueuedEvent[]): void {
    for (const { event } of done) this.#grace.accepted(event);
    this.#reopening.succeeded();
    this.#options.monitor.acknowledged(done.length, this.#release(done), done);
  }

  /** Finishes events; returns their JSON bytes. */
  #release(done: readonly QueuedEvent[]): number {
    let bytes = 0;
    for (const { ticket, event } of done) {
      bytes += event.json.length;
      this.#prefix.acknowledge(ticket);
    }
    this.#bytes -= bytes;
    this.#wake?.();
    return bytes;
  }

  async #buryQueued(
    queued: QueuedEvent,
    { kind, cause }: SinkFailure,
    failed: () => void,
  ): Promise<boolean> {
    const { id, kind: kindOfEvent } = queued.event;
    const reason = kind === "unroutable" ? "unroutable" : "rejected";
    const content = () => ({ event: eventOf(queued.event) });
    const isBuried = await this.#burial.bury(
      { reason, cause, id, kind: kindOfEvent, content, failed },
      this.#abort.signal,
    );
    if (isBuried) {
      this.#grace.buried(queued.event);
      this.#release([queued]);
    }
    return isBuried;
  }

  #lanesChanged(cause: Error): void {
    this.#changingLanes ??= this.#changeLanes(cause)
      .catch((error: unknown) => this.#faults.abort(error))
      .finally(() => {
        this.#changingLanes = null;
      });
  }

  /** Parks all lanes, opens the sink again, and routes every event that is left to its new lane. */
  async #changeLanes(cause: Error): Promise<void> {
    this.#options.monitor.lanesChanging(cause);
    await this.#parkAll();
    // A sink that asks for it again and again must not keep a core busy.
    const delayMs = this.#reopening.nextDelayMs();
    if (this.#reopening.failures > 1) await pause(delayMs, this.#abort.signal);
    const left = this.#lanes.flatMap((lane) => lane.takeUnacknowledged());
    left.sort((a, b) => a.ticket.ordinal - b.ticket.ordinal);
    await this.#open(this.#abort.signal);
    if (this.#abort.signal.aborted || !(await this.#fitAll(left))) return;
    for (const queued of left) this.#route(queued);
    this.#kick();
  }

  /** Makes events fit in their place, before any of them is published; false if the pipeline ended first. */
  async #fitAll(left: QueuedEvent[]): Promise<boolean> {
    this.#isFitting = true;
    for (const [at, { ticket, event }] of left.entries()) {
      const fitted = await this.#encoder.fit(event, this.#abort.signal);
      if (fitted === undefined) return false;
      this.#bytes += fitted.json.length - event.json.length;
      left[at] = { ticket, event: fitted };
    }
    this.#isFitting = false;
    return true;
  }

  async #parkAll(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.park()));
  }

  /** Waits for what is in flight: without limit after the end of the source, `drainTimeoutMs` after a stop. */
  async #drain(stop: AbortSignal): Promise<void> {
    this.#backlog = false;
    this.#kick();
    await this.#allDone(stop);
    this.#phase = "draining";
    const timeout = clock.timeoutSignal(this.#options.drainTimeoutMs ?? 10_000);
    const stuck = new AbortController();
    const check = clock.setInterval(() => this.#isStuck() && stuck.abort(), drainCheckMs);
    await this.#allDone(AbortSignal.any([timeout, stuck.signal, this.#faults.signal]));
    clock.clear(check);
    const left = this.#prefix.outstanding;
    if (left > 0) this.#options.monitor.drainTimedOut(left);
  }

  /** True when waiting for acknowledgements is in vain. */
  #isStuck(): boolean {
    const { sink } = this.#options;
    if (sink.isBlocked === true || this.#isOpenFailing || this.#isFitting) return true;
    if (!this.#lanes.every((lane) => lane.isAtRest)) return false;
    // Lanes that change wait until all are parked, which one whose dead letter cannot be written never is.
    return this.#changingLanes === null || this.#lanes.some((lane) => lane.isWaitingForHelp);
  }

  async #allDone(signal: AbortSignal): Promise<void> {
    while (this.#prefix.outstanding > 0 && !signal.aborted) await this.#progress(signal);
  }

  /** Resolves at the next finished event, or when the signal is aborted. */
  async #progress(signal: AbortSignal): Promise<void> {
    const wake = (): void => this.#wake?.();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      signal.addEventListener("abort", wake, { once: true });
      if (signal.aborted) resolve();
    });
    signal.removeEventListener("abort", wake);
  }

  async #close(): Promise<void> {
    const { source, sink, deadLetters, monitor } = this.#options;
    source.close();
    for (const each of [sink, deadLetters]) {
      try {
        await each.close();
      } catch (error) {
        monitor.closeFailed(error);
      }
    }
    this.#phase = "stopped";
    monitor.stopped();
  }
}
