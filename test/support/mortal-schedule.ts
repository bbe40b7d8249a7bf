// A service that compares with a fake database at the time of its schedule, in a process that kills itself with SIGKILL in
// the middle. Its argument is a `ScheduleTask` as JSON.
import { join } from "node:path";
import pino from "pino";
import { CaDatabase } from "../../src/ca-database/ca-database.ts";
import { clock } from "../../src/clock.ts";
import { parseConfig } from "../../src/config/load.ts";
import { ObservedSink } from "../../src/pipeline/observed-sink.ts";
import { FindingsPlace } from "../../src/reconcile/publish-findings.ts";
import { ReportedFindings } from "../../src/reconcile/reported-findings.ts";
import { nextTime } from "../../src/reconcile/schedule.ts";
import { Service } from "../../src/service/service.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { type CaRow, FakeCaDatabase } from "./fake-ca-database.ts";
import { replaceMethod } from "./replace-method.ts";
import { turns, until } from "./until.ts";

/** What such a process does. */
export interface ScheduleTask {
  readonly journal: string;
  readonly state: string;
  /** Rows of the database; the bytes of a certificate are in base64. */
  readonly rows: readonly (Omit<CaRow, "certificate"> & { readonly certificate: string })[];
  /** When it starts, in ms since 1970. */
  readonly startMs: number;
  readonly kill?: {
    /**
     * Before the findings of a comparison are kept, while they are, when they are; while findings are published; when the
     * first are acknowledged, while that is kept, and when it is.
     */
    readonly at: (typeof killPoints)[number];
    /** Turns of the event loop. */
    readonly turns: number;
  };
}

/** Where the process may be killed, in the order in which it gets there. */
export const killPoints = [
  "compared",
  "taking",
  "taken",
  "publishing",
  "acknowledged",
  "keeping",
  "kept",
] as const;

async function run({ journal, state, rows, startMs, kill }: ScheduleTask): Promise<void> {
  const dieAt = async (at: (typeof killPoints)[number]): Promise<void> => {
    if (kill?.at !== at) return;
    await turns(kill.turns);
    process.kill(process.pid, "SIGKILL");
  };
  replaceMethod(ReportedFindings.prototype, "take", (take) => {
    return async function mortalTake(this: ReportedFindings, complete) {
      await dieAt("compared");
      const taking = take.call(this, complete);
      await dieAt("taking");
      const taken = await taking;
      await dieAt("taken");
      return taken;
    };
  });
  replaceMethod(ObservedSink.prototype, "publish", (publish) => {
    return async function mortalPublish(this: ObservedSink, lane, batch, signal) {
      const publishing = publish.call(this, lane, batch, signal);
      await dieAt("publishing");
      return publishing;
    };
  });
  replaceMethod(FindingsPlace.prototype, "save", (save) => {
    return async function mortalSave(this: FindingsPlace, number) {
      if (number <= this.number) return save.call(this, number);
      await dieAt("acknowledged");
      const saving = save.call(this, number);
      await dieAt("keeping");
      await saving;
      await dieAt("kept");
    };
  });
  const text = JSON.stringify({
    journal: { directory: journal },
    state: { directory: state },
    reconcile: {},
    sinks: [{ name: "files", url: "file:events", batchEvents: 5 }],
  });
  const config = parseConfig(join(state, "certwire.json"), text);
  const { reconcile: schedule } = config;
  if (schedule === undefined) throw new Error("no schedule");
  let nowMs = nextTime(schedule, startMs) - 1;
  const dueMs = nowMs + 1;
  clock.time = () => nowMs;
  const database = new FakeCaDatabase(
    rows.map(({ certificate, ...row }) => ({
      ...row,
      certificate: Buffer.from(certificate, "base64"),
    })),
  );
  database.now = () => nowMs;
  const sleep = async (_: number, signal: AbortSignal) => signal.throwIfAborted();
  const service = await Service.create({
    config,
    log: pino({ level: "silent" }),
    caDatabase: () => new CaDatabase(database, { config: "CA01\\Contoso", sleep }),
  });
  const stop = new AbortController();
  const running = service.run(stop.signal);
  await until(async () => {
    const { reconcile } = await service.observe();
    // Its clock stands still until the task waits for the time.
    if (reconcile?.overdueMs !== undefined) nowMs += 1;
    return (reconcile?.lastMs ?? 0) >= dueMs;
  }, "a comparison is complete");
  const { reconcile: paths } = stateLayout(state);
  await until(async () => {
    const reported = await ReportedFindings.open(paths.reported);
    const place = await FindingsPlace.open(paths.reportedTo("files"), reported.numbers);
    return reported.after(place.number).length === 0;
  }, "the sink has all reports");
  stop.abort();
  await running;
}

const [task] = process.argv.slice(2);
if (task !== undefined) await run(JSON.parse(task) as ScheduleTask);
