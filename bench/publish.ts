// Runs the service of a configuration file until its sink has acknowledged so many events, and prints
// what that took as one line of JSON: node publish.js CONFIG EVENTS
import { createLogger } from "../src/cli/logger.ts";
import { loadConfig } from "../src/config/load.ts";
import { Service } from "../src/service/service.ts";

/** What publishing took. */
export interface PublishResult {
  readonly events: number;
  /** JSON bytes of all events. */
  readonly bytes: number;
  /** From before the service is made to the last acknowledgement, connecting included. */
  readonly seconds: number;
  /** Processor time of the process meanwhile, all threads. */
  readonly cpuSeconds: number;
  /** Largest resident memory, in MiB. */
  readonly maxRssMegabytes: number;
  readonly batches: number;
  /** Events of a batch. */
  readonly batchMedian: number;
  readonly batchMax: number;
}

const [configFile = "", wanted = "0"] = process.argv.slice(2);
const startedAt = performance.now();
const startedCpu = process.cpuUsage();
const sizes: number[] = [];
let events = 0;
let bytes = 0;
const done = new AbortController();
let result: PublishResult | undefined;

const service = await Service.create({
  config: loadConfig(configFile),
  log: createLogger("warn"),
  observe: (_sink, batch) => {
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

function measure(): PublishResult {
  const cpu = process.cpuUsage(startedCpu);
  const sorted = sizes.toSorted((a, b) => a - b);
  return {
    events,
    bytes,
    seconds: (performance.now() - startedAt) / 1_000,
    cpuSeconds: (cpu.user + cpu.system) / 1_000_000,
    maxRssMegabytes: Math.round(process.resourceUsage().maxRSS / 1_024),
    batches: sizes.length,
    batchMedian: sorted[Math.floor(sorted.length / 2)] ?? 0,
    batchMax: sorted.at(-1) ?? 0,
  };
}
