import { defaultHealthLimits } from "../../src/health/facts.ts";
import type { Status } from "../../src/health/status.ts";
import { NamedTroubles, outlived, unexplainedWait, unnamed } from "./health-truth.ts";
import { oldestUndelivered } from "./invariants.ts";
import { onTheirWayMs, waitsMs } from "./limits.ts";
import type { Scenario, SinkName } from "./scenario.ts";
import type { ServiceProcess } from "./service-process.ts";
import type { World } from "./world.ts";

/** A service whose health is asked. */
interface Asked {
  readonly service: ServiceProcess | undefined;
  /** Those of its configuration. */
  readonly sinks: readonly SinkName[];
  /** When it was started, in ms of virtual time. */
  readonly startedAt: number;
  /** True while nothing can be asked of it: it is not to run, or its disk does not answer. */
  readonly isMute: boolean;
}

/** Asks the service how it is, and compares the answer with the world. */
export class HealthWatch {
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #longestMs: number;
  readonly #troubles: NamedTroubles;

  constructor(scenario: Scenario, world: World) {
    this.#scenario = scenario;
    this.#world = world;
    this.#longestMs = waitsMs[scenario.pace];
    this.#troubles = new NamedTroubles(world, this.#longestMs);
  }

  /** What the health does not say of events, checkpoints that stay, or dead letters; `undefined` if it says all. */
  async unsaid({ service, sinks, startedAt, isMute }: Asked): Promise<string | undefined> {
    const { scheduler } = this.#world;
    const named = this.#troubles.notice(service, sinks);
    if (isMute || service?.isRunning !== true) return undefined;
    if (named.length > 0) {
      const missing = await this.#twice(async () =>
        unnamed(named, (await this.#reasons(service)) ?? []),
      );
      if (missing !== undefined) return missing;
    }
    if (scheduler.now - startedAt < this.#longestMs) return undefined;
    const waiting = sinks.filter((sink) => {
      const { writtenAt = Infinity } = oldestUndelivered(sink, this.#world) ?? {};
      return scheduler.now - writtenAt > this.#longestMs + this.#slowMs(sink);
    });
    if (waiting.length === 0) return undefined;
    return this.#twice(async () =>
      unexplainedWait(waiting, (await this.#reasons(service)) ?? [], this.#world),
    );
  }

  /** How much longer events may wait before the health says so, in ms: a sink whose broker is slow is behind, and not broken. */
  #slowMs(sink: SinkName): number {
    const { kafka, rabbitmq, scheduler } = this.#world;
    const isThrottled = kafka.bytesPerSecond !== Infinity || kafka.throttledUntil > scheduler.now;
    const isSlow: Readonly<Record<SinkName, boolean>> = {
      kafka: isThrottled || answersSlowly(kafka),
      rabbitmq: answersSlowly(rabbitmq),
      file: false,
    };
    return isSlow[sink] ? defaultHealthLimits.backlogSeconds * 1000 : 0;
  }

  /** What was wrong may have ended this moment, and what waited is on its way. */
  async #twice(find: () => Promise<string | undefined>): Promise<string | undefined> {
    if ((await find()) === undefined) return undefined;
    const { scheduler } = this.#world;
    await scheduler.run(scheduler.now + onTheirWayMs);
    return find();
  }

  /** What the health still says although nothing has been wrong for a while; `undefined` if all it says is so. */
  async outlived(service: ServiceProcess | undefined): Promise<string | undefined> {
    const reasons = await this.#reasons(service);
    if (reasons === undefined) return "the service does not say how it is";
    const over = outlived(reasons, this.#scenario, this.#world);
    return over && `the health says ${over.code} (${over.detail ?? ""}) although all works`;
  }

  /** Why the service says that it is not well; `undefined` if it does not answer. */
  async #reasons(asked: ServiceProcess | undefined): Promise<Status["reasons"] | undefined> {
    const { scheduler } = this.#world;
    const { service, process } = asked ?? {};
    let reasons: Status["reasons"] | undefined;
    const ask = (): void =>
      void service?.observe().then(({ status }) => (reasons = status.reasons));
    scheduler.after(0, ask, process);
    await scheduler.run(scheduler.now + 60_000, () => reasons !== undefined);
    return reasons;
  }
}

/** True for a broker whose answers take so long that a key with some events waits for minutes. */
function answersSlowly({ faults }: { readonly faults: { readonly slowestMs?: number } }): boolean {
  return (faults.slowestMs ?? 0) > 10_000;
}
