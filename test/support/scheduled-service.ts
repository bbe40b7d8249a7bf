import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext } from "node:test";
import type { CaDatabase } from "../../src/ca-database/ca-database.ts";
import { clock, type Delay } from "../../src/clock.ts";
import { parseConfig, type ResolvedConfig } from "../../src/config/load.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { dispositions } from "../../src/exit/ca-codes.ts";
import { ReportedFindings } from "../../src/reconcile/reported-findings.ts";
import { nextTime } from "../../src/reconcile/schedule.ts";
import type { Observation } from "../../src/service/live-status.ts";
import { Service } from "../../src/service/service.ts";
import { collectLog } from "./collect-log.ts";
import { type CaRow } from "./fake-ca-database.ts";
import { published } from "./published-files.ts";
import { ReconcileScene } from "./reconcile-scene.ts";
import { until } from "./until.ts";

const second = 1000;
/** In ms. */
export const day = 86_400_000;
/** A service with a schedule of every day, and a clock that stands shortly before the next time until it waits for it. */
export class ScheduledService {
  readonly scene: ReconcileScene;
  readonly root: string;
  readonly lines: Record<string, unknown>[];
  openDatabase: () => CaDatabase;
  readonly #log;
  readonly #config: ResolvedConfig;
  #nowMs = Date.now();

  constructor(
    t: TestContext,
    sinks: readonly object[] = [{ name: "files", url: "file:events" }],
    schedule: object = {},
  ) {
    this.scene = new ReconcileScene(t);
    this.root = this.scene.state;
    this.openDatabase = () => this.scene.caDatabase();
    const { log, lines } = collectLog();
    this.#log = log;
    this.lines = lines;
    const now = new Date();
    const at = (now.getHours() * 60 + now.getMinutes() + 720) % 1440;
    const text = JSON.stringify({
      journal: { directory: this.scene.journal },
      state: { directory: this.scene.state },
      reconcile: {
        at: `${Math.floor(at / 60)}:${String(at % 60).padStart(2, "0")}`,
        ...schedule,
      },
      sinks,
    });
    this.#config = parseConfig(join(this.root, "certwire.json"), text);
    t.mock.method(clock, "time", () => this.#nowMs);
    this.scene.database.now = () => this.#nowMs;
  }

  /** Sets the clock of the machine, by a difference in ms. */
  shift(ms: number): void {
    this.#nowMs += ms;
  }

  /** Runs until the observation is as wanted, and ends. `isLater`: at the next scheduled time, which is the default. */
  async run(
    t: TestContext,
    isDone: (observation: Observation) => boolean,
    isLater = true,
  ): Promise<Observation> {
    await this.scene.flushed();
    const { reconcile: schedule } = this.#config;
    assert.ok(schedule);
    if (isLater) this.#nowMs = nextTime(schedule, this.#nowMs) - 1;
    const service = await Service.create({
      config: this.#config,
      log: this.#log,
      caDatabase: () => this.openDatabase(),
    });
    const stop = new AbortController();
    t.after(() => stop.abort());
    const running = service.run(stop.signal);
    const found = await until(async () => {
      const observation = await service.observe();
      if (isLater && observation.reconcile?.overdueMs !== undefined) this.#nowMs += 1;
      return isDone(observation) && observation;
    }, "the service has done it");
    stop.abort();
    await running;
    return found;
  }

  /** Runs until one more comparison is complete and all reports are published. */
  async compare(t: TestContext, sinks = ["files"]): Promise<Observation> {
    const before = await this.#lastMs();
    return this.run(t, ({ reconcile }) => {
      const { lastMs = before } = reconcile ?? {};
      return lastMs !== before && sinks.every((sink) => this.#hasAll(sink));
    });
  }

  #hasAll(sink: string): boolean {
    const { paths } = this.scene;
    const [head = "", ...reports] = readFileSync(paths.reported, "utf8").trimEnd().split("\n");
    const { next } = JSON.parse(head) as { next: number };
    if (reports.length === 0) return true;
    try {
      const { number } = JSON.parse(readFileSync(paths.reportedTo(sink), "utf8")) as {
        number: number;
      };
      return number === next - 1;
    } catch {
      return false;
    }
  }

  async #lastMs(): Promise<number> {
    return (await ReportedFindings.open(this.scene.paths.reported)).state.last?.startedMs ?? 0;
  }

  findings(directory = "events"): CertwireEvent[] {
    return published(join(this.root, directory, "reconcile"));
  }

  logged(message: string): Record<string, unknown>[] {
    return this.lines.filter(({ msg }) => msg === message);
  }
}

/** A request that was issued shortly after a scene has begun. */
export function issuedRow({ begin }: ReconcileScene, id: number): CaRow {
  const certificate = ReconcileScene.certificate(id);
  return {
    id,
    disposition: dispositions.issued,
    submitted: begin,
    resolved: begin + second,
    certificate,
  };
}

/** Lets waits of some lengths, in ms, take another time; the others take theirs. */
export function mockWaits(t: TestContext, lengthOf: (ms: number) => number): void {
  const delay = clock.delay.bind(clock);
  t.mock.method(clock, "delay", (ms: number, options?: Delay) => delay(lengthOf(ms), options));
}

/** Reasons about comparisons: the clock runs away from the exit module, which is one too. */
export function reasonsOf({ reasons }: Observation["status"]): (string | undefined)[][] {
  return reasons
    .filter(({ code }) => code.startsWith("reconcile-"))
    .map(({ code, detail }) => [code, detail]);
}

/** Subject, state and class of findings. */
export function shown(events: readonly CertwireEvent[]): unknown[] {
  return events.map(({ subject, data }) => [subject, data["state"], data["class"]]);
}
