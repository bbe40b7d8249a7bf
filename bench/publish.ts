// Runs the service of a configuration file until its sink has acknowledged EVENTS events, and prints
// what that took as one line of JSON, without the first WARMUP events: node publish.js CONFIG EVENTS [WARMUP]
import { createLogger } from "../src/cli/logger.ts";
import { loadConfig } from "../src/config/load.ts";
import { Service } from "../src/service/service.ts";

/** What publishing took. */
export interface PublishResult {
  readonly events: number;
  /** JSON bytes of all events. */
  readonly bytes: number;
  /** To the last acknowledgement: from that of the warm-up, or without one from before the service is created. */
  readonly seconds: number;
  /** Processor time of the process in that time, all threads. */
  readonly cpuSeconds: number;
  /** From before the service is created to the end of the warm-up, connecting included. */
  readonly warmupSeconds: number;
  /** Largest resident memory, in MiB. */
  readonly maxRssMegabytes: number;
  readonly batches: number;
  /** Events of a batch. */
  readonly batchMedian: number;
  readonly batchMax: number;
}

const [configFile = "", wanted = "0", warmup = "0"] = process.argv.slice(2);
const madeAt = performance.now();
let startedAt = madeAt;
let startedCpu = process.cpuUsage();
const sizes: number[] = [];
let warmupEvents = 0;
let events = 0;
let bytes = 0;
const done = new AbortController();
let result: PublishResult | undefined;

const service = await Service.create({
  config: loadConfig(configFile),
  log: createLogger("warn"),
  observe: (_sink, batch) => {
    if (warmupEvents < Number(warmup)) {
      warmUp(batch.length);
      return;
    }
    sizes.push(batch.length);
    events += batch.length;
    for (const event of batch) bytes += event.json.length;
    if (events >= Number(wanted) && !done.signal.aborted) {
      result = measure();
      done.abort();
    }
  },
});
await service.run(done.signal);
process.stdout.write(`${JSON.stringify(result)}\n`);

/** Like the brokers' own load generators, which leave out what the JIT compiler takes. */
function warmUp(count: number): void {
  warmupEvents += count;
  startedAt = performance.now();
  startedCpu = process.cpuUsage();
}

function measure(): PublishResult {
  const cpu = process.cpuUsage(startedCpu);
  const sorted = sizes.toSorted((a, b) => a - b);
  return {
    events,
    bytes,
    seconds: (performance.now() - startedAt) / 1_000,
    cpuSeconds: (cpu.user + cpu.system) / 1_000_000,
    warmupSeconds: (startedAt - madeAt) / 1_000,
    maxRssMegabytes: Math.round(process.resourceUsage().maxRSS / 1_024),
    batches: sizes.length,
    batchMedian: sorted[Math.floor(sorted.length / 2)] ?? 0,
    batchMax: sorted.at(-1) ?? 0,
  };
}
