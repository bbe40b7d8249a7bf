// What it costs to watch a service that publishes at full speed: events a second and processor time of an event with
// everything on, at many scrapes a second, and beside `certwire tap`, against the same with everything off; medians of pairs in turns. Prints one
// JSON object: node cost.js [--events 60000] [--runs 5] [--scrapes 500] [--directory DIRECTORY] [--out FILE]
// Everything: endpoint, health, a scrape of /metrics and a read of /status each second. `tap` is a process of its own, which
// reads the whole journal as fast as it can: with two cores it takes the service's own time.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { fillJournal } from "./journal.ts";
import type { PublishResult } from "./publish.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "60000" },
    runs: { type: "string", default: "5" },
    scrapes: { type: "string", default: "500" },
    directory: { type: "string", default: tmpdir() },
    out: { type: "string" },
  },
});
const events = Number(values.events);
const runs = Number(values.runs);
const scrapesPerSecond = Number(values.scrapes);
/** Events before those that are measured, for the compiler. */
const warmup = Math.floor(events / 4);

/** How a service is watched; requests a second. */
interface Watching {
  readonly metrics: number;
  readonly status: number;
  readonly hasTap: boolean;
}

const watchings: Readonly<Record<"off" | "on" | "scraped" | "tapped", Watching | undefined>> = {
  off: undefined,
  on: { metrics: 1, status: 1, hasTap: false },
  scraped: { metrics: scrapesPerSecond, status: 0, hasTap: false },
  tapped: { metrics: 1, status: 1, hasTap: true },
};
type Name = keyof typeof watchings;

/** What one run took. */
interface Run {
  readonly eventsPerSecond: number;
  readonly cpuMicrosecondsPerEvent: number;
  readonly rssMegabytes: number;
  /** Answers of the endpoint to all requests, from the first one on. */
  readonly answersPerSecond: number;
}

const root = mkdtempSync(join(values.directory, "certwire-cost-"));
const journal = join(root, "journal");
const socket = join(root, "http.sock");
/** As many connections as a service that is busy for 50 ms needs for 500 answers a second; it takes 64. */
const agent = new Agent({ keepAlive: true, maxSockets: 48 });
let runsMade = 0;

function configFile(name: Name): string {
  const directory = join(root, `run-${(runsMade += 1)}`);
  const config = {
    journal: { directory: journal, minFreeMegabytes: 0 },
    state: { directory: join(directory, "state") },
    sinks: [{ name: "files", url: `file://${join(directory, "events")}` }],
    ...(watchings[name] && { http: { listen: `unix:${socket}` } }),
  };
  const file = join(root, `run-${runsMade}.json`);
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Asks for a path so often that its answers come to `perSecond`, until the signal is aborted; the answers a second. */
async function ask(path: string, perSecond: number, signal: AbortSignal): Promise<number> {
  if (perSecond === 0) return 0;
  let answers = 0;
  let firstAt: number | undefined;
  let lastAt = 0;
  const startedAt = performance.now();
  for (let asked = 0; !signal.aborted; asked += 1) {
    const waitMs = startedAt + (asked * 1000) / perSecond - performance.now();
    if (waitMs > 1) await delay(waitMs, undefined, { signal }).catch(() => undefined);
    get({ socketPath: socket, path, agent }, (response) => {
      // Before the service listens, and after it has ended, nobody answers.
      if (response.statusCode === 200) {
        firstAt ??= performance.now();
        answers += 1;
        lastAt = performance.now();
      }
      response.resume();
    }).on("error", () => undefined);
    // What waits for a connection does not grow without limit.
    if (asked % 8 === 7) await delay(0);
  }
  if (firstAt === undefined) throw new Error("the endpoint never answered");
  // The first one begins the time, which the others fill.
  return (1000 * (answers - 1)) / Math.max(1, lastAt - firstAt);
}

/** Shows every event of the journal, from the first one on. */
function tap(): ChildProcess {
  const main = join(import.meta.dirname, "..", "src", "cli", "main.js");
  const from = ["--from", "2000-01-01"];
  return spawn(process.execPath, [main, "tap", "--journal", journal, ...from], { stdio: "ignore" });
}

async function run(name: Name): Promise<Run> {
  const watching = watchings[name];
  const program = join(import.meta.dirname, "publish.js");
  const words = [program, configFile(name), String(events), String(warmup)];
  const service = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  service.stdout.setEncoding("utf8").on("data", (more: string) => (text += more));
  const stop = new AbortController();
  const asking = watching && [
    ask("/metrics", watching.metrics, stop.signal),
    ask("/status", watching.status, stop.signal),
  ];
  const tapping = watching?.hasTap ? tap() : undefined;
  const [exitCode] = (await once(service, "close")) as [number | null];
  stop.abort();
  tapping?.kill();
  if (exitCode !== 0) throw new Error(`the service ended with ${exitCode}`);
  const answersPerSecond = (await Promise.all(asking ?? [])).reduce((sum, each) => sum + each, 0);
  const result = JSON.parse(text) as PublishResult;
  return {
    eventsPerSecond: Math.round(result.events / result.seconds),
    cpuMicrosecondsPerEvent: (1_000_000 * result.cpuSeconds) / result.events,
    rssMegabytes: result.maxRssMegabytes,
    answersPerSecond: Math.round(answersPerSecond),
  };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

try {
  fillJournal(journal, events + warmup + 1000);
  const made: Record<Name, Run[]> = { off: [], on: [], scraped: [], tapped: [] };
  for (let round = 0; round < runs; round += 1) {
    for (const name of ["off", "on", "scraped", "tapped"] as const)
      made[name].push(await run(name));
  }
  /** Medians of the quotients of each round, whose runs were made one after the other. */
  const besideOff = (name: Name) => ({
    ratio: median(
      made[name].map((each, at) => each.eventsPerSecond / made.off[at]!.eventsPerSecond),
    ),
    cpuRatio: median(
      made[name].map(
        (each, at) => each.cpuMicrosecondsPerEvent / made.off[at]!.cpuMicrosecondsPerEvent,
      ),
    ),
    extraMegabytes: median(
      made[name].map((each, at) => each.rssMegabytes - made.off[at]!.rssMegabytes),
    ),
  });
  /** What a scrape adds to the processor time of the service. */
  const cpuMicrosecondsPerScrape = median(
    made.scraped.map((each, at) => {
      const more = each.cpuMicrosecondsPerEvent - made.off[at]!.cpuMicrosecondsPerEvent;
      return (more * each.eventsPerSecond) / each.answersPerSecond;
    }),
  );
  const report = {
    events,
    runs,
    on: besideOff("on"),
    scraped: { ...besideOff("scraped"), cpuMicrosecondsPerScrape },
    tapped: besideOff("tapped"),
    made,
  };
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  process.stdout.write(text);
  if (values.out !== undefined) writeFileSync(values.out, text);
} finally {
  agent.destroy();
  rmSync(root, { recursive: true });
}
