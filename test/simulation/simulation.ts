import { setImmediate as turn } from "node:timers/promises";
import { createWorld, space } from "./create-world.ts";
import { findDelay } from "./delays.ts";
import { type Fault, faultOf, isHarmless, mayDuplicate, subjectOf } from "./faults.ts";
import { HealthWatch } from "./health-watch.ts";
import { deliveriesOf, findViolations, hasCheckpoint, oldestUndelivered } from "./invariants.ts";
import { drainMs, settledMs, stopMs } from "./limits.ts";
import { LogLimits } from "./log-limits.ts";
import type { RunReport } from "./run-report.ts";
import type { Action, Scenario, SinkName } from "./scenario.ts";
import { configOf, fileDirectory, type LoggedLine, ServiceProcess } from "./service-process.ts";
import { textOf, Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** Runs a scenario to its end. Rejects with a Violation. `took`: called with the steps that it took, red or green. */
export async function simulate(
  scenario: Scenario,
  took?: (steps: number) => void,
): Promise<RunReport> {
  const run = new Run(scenario);
  try {
    return await run.toItsEnd();
  } finally {
    took?.(run.steps);
    await run.leave();
  }
}

/** Something that is wrong now, and until when, in ms of virtual time. */
interface Wrong extends Pick<Fault, "heal" | "settleMs"> {
  readonly until: number;
}

class Run {
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #lines: LoggedLine[] = [];
  #service: ServiceProcess | undefined;
  /** All that were started. */
  readonly #services: ServiceProcess[] = [];
  /** Those of the configuration now. */
  #sinks: readonly SinkName[];
  #starts = 0;
  #isHeld = false;
  /** What is wrong now, by what it concerns. */
  readonly #wrong = new Map<string, Wrong>();
  /** Since when nothing is wrong, and nothing that was lost is waited for, by destination. */
  readonly #worksSince = new Map<string, number>();
  #rejection: unknown;
  readonly #onRejection = (reason: unknown): void => {
    this.#rejection ??= reason;
  };
  readonly #logLimits = new LogLimits(this.#lines);
  readonly #health: HealthWatch;
  /** True once anything was done that a service may log a warning about. */
  #isDisturbed = false;
  #isEnding = false;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#sinks = scenario.sinks;
    this.#world = createWorld(scenario);
    this.#health = new HealthWatch(scenario, this.#world);
    process.on("unhandledRejection", this.#onRejection);
  }

  get steps(): number {
    return this.#world.scheduler.steps;
  }

  /** Lets go of everything: Node.js keeps signals that somebody listens to, and what they lead to, until they are aborted. */
  async leave(): Promise<void> {
    for (const service of this.#services) {
      service.kill(this.#world);
      service.abort();
    }
    await turn();
    process.off("unhandledRejection", this.#onRejection);
  }

  async toItsEnd(): Promise<RunReport> {
    const { scheduler, journal } = this.#world;
    this.#act(() => journal.start());
    this.#start();
    this.#load();
    for (const { afterMs, action } of this.#scenario.steps) {
      await this.#pass(afterMs);
      if (!isHarmless(action)) this.#isDisturbed = true;
      await this.#do(action);
    }
    const ends = [...this.#wrong.values()].map(({ until }) => until);
    await this.#pass(Math.max(0, ...ends.map((until) => until - scheduler.now)));
    await this.#pass(0);
    await this.#drain();
    await this.#checkHealth();
    await this.#end();
    return {
      simulatedMs: scheduler.now,
      steps: scheduler.steps,
      records: journal.records.length,
      starts: this.#starts,
    };
  }

  /** People ask for certificates now and then, whatever is wrong. */
  #load(): void {
    const { scheduler, journal, random } = this.#world;
    const afterMs = random.fraction() * (random.chance(0.5) ? 20_000 : 30 * 60_000);
    scheduler.after(
      afterMs,
      () => {
        for (let left = random.below(4); left > 0; left -= 1) {
          journal.record("request", 1 + random.below(20));
        }
        if (!this.#isEnding) this.#load();
      },
      undefined,
    );
  }

  /** Lets time pass, and checks what must always be so. What is wrong is put right on the way. */
  async #pass(ms: number): Promise<void> {
    const { scheduler } = this.#world;
    const end = scheduler.now + ms;
    for (;;) {
      const due = [...this.#wrong].filter(([, { until }]) => until <= end);
      const next = due.toSorted(([, a], [, b]) => a.until - b.until)[0];
      const until = Math.min(end, next?.[1].until ?? end, scheduler.now + 10 * 60_000);
      await scheduler.run(until);
      this.#check();
      await this.#checkTruth();
      if (next !== undefined && next[1].until <= until) {
        this.#repaired(...next);
      } else if (until >= end) return;
    }
  }

  /** Does something to the world, not as the service. */
  #act(run: () => void): void {
    this.#world.scheduler.as(undefined, run);
  }

  #repaired(what: string, { heal, settleMs = () => 0 }: Omit<Wrong, "until">): void {
    this.#wrong.delete(what);
    this.#act(heal);
    const subject = subjectOf(what);
    const before = this.#worksSince.get(subject) ?? 0;
    this.#worksSince.set(subject, Math.max(before, this.#world.scheduler.now + settleMs()));
  }

  #break({ what, forMs, harm, ...after }: Fault): void {
    const before = this.#wrong.get(what);
    if (before !== undefined) this.#repaired(what, before);
    this.#act(harm);
    this.#wrong.set(what, { until: this.#world.scheduler.now + forMs, ...after });
  }

  #start(): void {
    const name = `service ${++this.#starts}`;
    const { pace } = this.#scenario;
    const config = configOf({ ...this.#scenario, sinks: this.#sinks }, this.#world, space);
    this.#service = new ServiceProcess(this.#world, name, { config, pace }, this.#lines);
    this.#services.push(this.#service);
    this.#worksSince.set("start", this.#world.scheduler.now);
  }

  /** Starts a service again when the one before has ended, as a supervisor does. */
  async #startAfter(forMs: number): Promise<void> {
    this.#isHeld = true;
    await this.#pass(forMs);
    this.#isHeld = false;
    this.#start();
  }

  async #do(action: Action): Promise<void> {
    const fault = faultOf(action, this.#world);
    if (fault === undefined) await this.#toMachine(action);
    else this.#break(fault);
  }

  async #toMachine(action: Action): Promise<void> {
    const { journal, kafka, rabbitmq, random, topic } = this.#world;
    switch (action.do) {
      case "record":
        this.#act(() => {
          for (let each = 0; each < action.count; each += 1) {
            journal.record("request", 1 + random.below(20), action.bytes);
          }
        });
        // More than a service can read before the journal is full may come at once.
        if (journal.bytes > journal.limits.maxJournalBytes / 2) this.#isDisturbed = true;
        return;
      case "record-undecodable":
        this.#act(() => journal.record("undecodable"));
        return;
      case "restart-ca":
        this.#act(() => (action.how === "stop" ? journal.stop() : journal.kill(false)));
        await this.#pass(action.forMs);
        this.#act(() => journal.start());
        return;
      case "restart-service":
        await this.#stopService(action.how);
        await this.#startAfter(action.forMs);
        return;
      case "cut-power":
        this.#service?.kill(this.#world);
        this.#act(() => {
          journal.kill(true);
          this.#world.disk.cutPower();
        });
        await this.#startAfter(action.forMs);
        this.#act(() => journal.start());
        return;
      case "start-second-service":
        await this.#startSecond();
        return;
      case "kafka-grows-topic":
        this.#act(() => kafka.grow(topic, Math.min(12, kafka.partitions(topic) + 1)));
        return;
      case "rabbitmq-drops-connections":
        this.#act(() => rabbitmq.dropConnections());
        return;
      case "delete-segments":
        // For a sink without a checkpoint, what is gone was never there.
        if (this.#scenario.sinks.every((sink) => hasCheckpoint(sink, this.#world))) {
          this.#act(() => journal.deleteOldest(action.count));
        }
        return;
      case "delete-file":
        this.#deleteFile();
        return;
      case "set-clock":
        this.#world.wallOffsetMs += action.byMs;
        return;
      default:
        await this.#toConfiguration(action);
    }
  }

  /** Somebody who has read the newest file of the file sink deletes it. */
  #deleteFile(): void {
    const { disk } = this.#world;
    const { files } = deliveriesOf("file", this.#world);
    const newest = disk.paths(fileDirectory).findLast((path) => path.endsWith(".ndjson"));
    if (newest === undefined) return;
    disk.remove(newest);
    files.delete(newest);
  }

  async #toConfiguration(action: Action): Promise<void> {
    const { kafka } = this.#world;
    switch (action.do) {
      case "upgrade-exit-module":
        await this.#upgrade(action.forMs);
        return;
      case "change-topic":
        await this.#reconfigure(() => {
          this.#world.topic = `events-${this.#starts}`;
          kafka.createTopic(this.#world.topic, 3);
        });
        return;
      case "rename-sink":
        await this.#rename(action.sink);
        return;
      case "remove-sink":
        await this.#removeSink(action.sink, action.forMs);
        return;
      default:
        throw new Error(`unknown action ${action.do}`);
    }
  }

  async #stopService(how: "stop" | "kill"): Promise<void> {
    const service = this.#service;
    if (service === undefined) return;
    if (how === "kill") {
      service.kill(this.#world);
      return;
    }
    service.stop(this.#world);
    const hangs = this.#wrong.has("disk hangs") || this.#wrong.has("disk slow");
    if (hangs) {
      await this.#pass(stopMs);
      if (service.isRunning) {
        service.kill(this.#world);
      }
      return;
    }
    await this.#world.scheduler.run(this.#world.scheduler.now + stopMs, () => !service.isRunning);
    if (service.isRunning) this.#fail(`the service has not ended ${stopMs} ms after its stop`);
    this.#checkEnded(service);
  }

  /** An exit module of a later version writes what the service cannot read before its own upgrade. */
  async #upgrade(forMs: number): Promise<void> {
    const { journal, random, scheduler } = this.#world;
    this.#act(() => journal.record("newer", 1 + random.below(20)));
    this.#wrong.set("journal newer", { until: scheduler.now + forMs + 1, heal: () => undefined });
    await this.#pass(forMs);
    await this.#reconfigure(() => journal.newer.clear());
    this.#repaired("journal newer", { heal: () => undefined });
  }

  /** Stops the service, and starts another after a change. */
  async #reconfigure(change: () => void): Promise<void> {
    await this.#stopService("stop");
    this.#act(change);
    this.#start();
  }

  /** A sink with another name begins with the oldest record that is still there. */
  async #rename(sink: SinkName): Promise<void> {
    const { journal, names } = this.#world;
    const next = oldestUndelivered(sink, this.#world);
    const isThere = next === undefined || journal.isPresent(next);
    if (!this.#sinks.includes(sink) || !isThere) return;
    await this.#reconfigure(() => names.set(sink, `${sink}-${this.#starts}`));
  }

  /** Takes a sink out of the configuration, and puts it back. */
  async #removeSink(sink: SinkName, forMs: number): Promise<void> {
    const left = this.#sinks.filter((each) => each !== sink);
    if (left.length === 0 || left.length === this.#sinks.length) return;
    const before = this.#sinks;
    await this.#stopService("stop");
    this.#sinks = left;
    this.#start();
    await this.#pass(forMs);
    await this.#stopService("stop");
    this.#sinks = before;
    this.#start();
  }

  async #startSecond(): Promise<void> {
    // One that has not started yet may find the directory in use itself.
    if (this.#service?.isRunning !== true || this.#service.service === undefined) return;
    const config = configOf(this.#scenario, this.#world, space);
    const { pace } = this.#scenario;
    const second = new ServiceProcess(this.#world, "second service", { config, pace }, []);
    this.#services.push(second);
    const { scheduler } = this.#world;
    await scheduler.run(scheduler.now + 60_000, () => !second.isRunning);
    const { error } = second.ended ?? {};
    if (error === undefined && this.#service.isRunning && !this.#wrong.has("disk hangs")) {
      this.#fail("a second service runs on the same state directory");
    }
    second.kill(this.#world);
  }

  #check(): void {
    if (this.#rejection !== undefined)
      this.#fail(`unhandled rejection: ${textOf(this.#rejection)}`);
    const service = this.#service;
    if (service === undefined || this.#isHeld) return;
    if (service.ended !== undefined && service.stoppedAt === undefined) this.#checkEnded(service);
    const found = findViolations(this.#scenario, this.#world);
    if (found !== undefined) this.#fail(found);
    const wrong = [...this.#wrong.keys()];
    const { pace } = this.#scenario;
    const [world, sinks, worksSince] = [this.#world, this.#sinks, this.#worksSince];
    const late = findDelay({ world, pace, sinks, wrong, worksSince });
    if (late !== undefined) this.#fail(late);
    this.#checkLog();
    for (const stats of service.service?.stats() ?? []) {
      if (stats.inFlightEvents > 2 * 500) this.#fail(`${stats.inFlightEvents} events in flight`);
    }
    if (this.#world.disk.openFiles(service.process) > 40) this.#fail("more than 40 open files");
    if (this.#world.rabbitmq.connections > 12) this.#fail("more than 12 connections to RabbitMQ");
    if (this.#world.kafka.producers.size > 30) this.#fail("more than 30 producers of Kafka");
  }

  /** A service that could not start, because of the disk for instance, is started again. */
  #checkEnded(service: ServiceProcess): void {
    const { error } = service.ended ?? {};
    if (error === undefined) {
      if (service.stoppedAt === undefined) this.#fail("the service has ended by itself");
      return;
    }
    const { code } = error as { readonly code?: string };
    const isOfDisk = code === "CERTWIRE_CHECKPOINT_FAILED" && this.#isOrWasWrong("disk");
    if (!isOfDisk || service.service !== undefined)
      this.#fail(`the service ended: ${textOf(error)}`);
    if (service.stoppedAt === undefined) this.#start();
  }

  /** True if something about it is wrong now, or was when the newest service started. */
  #isOrWasWrong(subject: string): boolean {
    const startedAt = this.#worksSince.get("start") ?? 0;
    if ((this.#worksSince.get(subject) ?? -1) >= startedAt) return true;
    return [...this.#wrong.keys()].some((what) => subjectOf(what) === subject);
  }

  #checkLog(): void {
    const exceeded = this.#logLimits.exceeded();
    if (exceeded !== undefined) this.#fail(exceeded);
    if (this.#isDisturbed) return;
    const line = this.#lines.find(({ level }) => level !== "info");
    if (line) this.#fail(`"${line.message}" is in the log although nothing was wrong`);
  }

  async #drain(): Promise<void> {
    const { scheduler } = this.#world;
    this.#isEnding = true;
    if (!this.#world.journal.isRunning) this.#act(() => this.#world.journal.start());
    const longestMs = drainMs[this.#scenario.pace];
    const end = Math.max(scheduler.now, ...this.#worksSince.values()) + longestMs;
    const left = () =>
      this.#scenario.sinks.filter((sink) => oldestUndelivered(sink, this.#world) !== undefined);
    while (scheduler.now < end && left().length > 0) await this.#pass(10_000);
    for (const sink of left()) {
      const record = oldestUndelivered(sink, this.#world);
      this.#fail(
        `record ${record?.ordinal} (${record?.id}) has not come to ${sink} ${longestMs / 1000} s after everything works`,
      );
    }
  }

  /** Nothing is wrong any more, so the health names nothing that is over. */
  async #checkHealth(): Promise<void> {
    await this.#pass(settledMs[this.#scenario.pace]);
    const outlived = await this.#health.outlived(this.#service);
    if (outlived !== undefined) this.#fail(outlived);
  }

  async #checkTruth(): Promise<void> {
    const isMute = this.#isHeld || this.#wrong.has("disk hangs") || this.#wrong.has("disk slow");
    const startedAt = this.#worksSince.get("start") ?? 0;
    const [service, sinks] = [this.#service, this.#sinks];
    const unsaid = await this.#health.unsaid({ service, sinks, startedAt, isMute });
    if (unsaid !== undefined) this.#fail(unsaid);
  }

  /** Stops the service, and sees that what it leaves is right. */
  async #end(): Promise<void> {
    await this.#stopService("stop");
    const found = findViolations(this.#scenario, this.#world);
    if (found !== undefined) this.#fail(found);
    for (const sink of this.#scenario.sinks) {
      const { duplicates } = deliveriesOf(sink, this.#world);
      if (this.#scenario.steps.every(({ action }) => !mayDuplicate(action)) && duplicates > 0) {
        this.#fail(`${duplicates} duplicates at ${sink} although nothing was wrong`);
      }
    }
  }

  #fail(message: string): never {
    throw new Violation(message, this.#lines.slice(-40));
  }
}
