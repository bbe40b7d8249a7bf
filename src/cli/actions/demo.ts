import { mkdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { loadConfig, parseConfig, type ResolvedConfig } from "../../config/load.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { loadNative } from "../../native/addon.ts";
import { pause } from "../../pipeline/waiting.ts";
import { Service } from "../../service/service.ts";
import type { FeedCounts } from "../../simulate/index.ts";
import { DemoProgress } from "../demo-progress.ts";
import { LiveView } from "../live-view.ts";
import { createLogger } from "../logger.ts";
import { say } from "../output.ts";
import { feedText, loadSimulator } from "../simulator.ts";
import { stopSignal } from "../stop-signal.ts";

/** The options of `certwire demo`. */
export interface DemoOptions {
  readonly config?: string;
  readonly directory: string;
  readonly rate: number;
  readonly count?: number;
  readonly seed?: string;
}

/** How long the sinks may take to publish the rest of the journal after the CA stopped, in ms. */
const catchUpMs = 10_000;

/** `certwire demo`: simulated CA, journal, service and a live view in one go. */
export async function demo(options: DemoOptions): Promise<void> {
  const { createCa, feed, newFeedCounts } = await loadSimulator();
  const directory = resolve(options.directory);
  const config = demoConfig(directory, options.config);
  for (const each of [config.journal.directory, config.state.directory]) {
    mkdirSync(each, { recursive: true });
  }
  const logFile = join(directory, "service.log");
  const log = createLogger(config.log.level, logFile);
  const counts = newFeedCounts();
  const progress = new DemoProgress();
  const view = new LiveView(() => footer(counts, service, progress));
  const service = await Service.create({
    config,
    log,
    observe: (sink, events) => {
      progress.acknowledged(sink, events);
      if (sink === firstSink(config)) view.show(events);
    },
  });
  const stop = stopSignal();
  const stopService = new AbortController();
  const ended = new AbortController();
  const running = service.run(stopService.signal).finally(() => ended.abort());
  running.catch(() => undefined); // awaited below, after the CA has stopped
  const pace = options.rate === 0 ? "as fast as possible" : `at ${options.rate} events/s`;
  say(`Running a simulated CA ${pace}. Press Ctrl-C to stop.`);
  view.start();
  try {
    const ca = createCa(options.seed, options.rate);
    const { ExitSimulator } = loadNative();
    const simulator = new ExitSimulator({ directory: config.journal.directory, caName: ca.name });
    try {
      const either = AbortSignal.any([stop, ended.signal, standardOutput().ended]);
      await feed({ ca, simulator, rate: options.rate, count: options.count }, counts, either);
      await caughtUp(service, progress, ended.signal);
    } finally {
      simulator.close();
    }
  } finally {
    stopService.abort();
    await running.finally(() => view.stop());
  }
  sayWhere(config, counts, logFile);
}

/** The sinks of a configuration file, or one file sink; journal and state always inside `directory`. */
function demoConfig(directory: string, file: string | undefined): ResolvedConfig {
  const places = {
    journal: { directory: join(directory, "journal") },
    state: { directory: join(directory, "state") },
  };
  if (file === undefined) {
    const sinks = [{ name: "files", url: "file:events" }];
    return parseConfig(join(directory, "demo.json"), JSON.stringify({ ...places, sinks }));
  }
  const config = loadConfig(file);
  return { ...config, journal: { ...config.journal, ...places.journal }, state: places.state };
}

function firstSink({ sinks }: ResolvedConfig): string | undefined {
  return sinks.find(({ options }) => options.enabled)?.options.name;
}

function footer(counts: FeedCounts, service: Service, progress: DemoProgress): string[] {
  const journal = ` journal   ${feedText(counts)}`;
  const sinks = service.stats().map((stats) => {
    const { sink: name, kind, state, acknowledgedEvents, openFailures } = stats;
    const backlog = counts.events - progress.records(name);
    const failed = Object.values(stats.failures).reduce((sum, each) => sum + each, openFailures);
    const numbers = `${acknowledgedEvents} published, backlog ${backlog}, ${failed} failures`;
    return ` ${name.padEnd(9)} ${kind} ${state}, ${numbers}`;
  });
  return [journal, ...sinks];
}

/** Waits until every sink has acknowledged what the CA recorded, up to a limit: a broker may be down. */
async function caughtUp(
  service: Service,
  progress: DemoProgress,
  ended: AbortSignal,
): Promise<void> {
  const deadline = AbortSignal.any([AbortSignal.timeout(catchUpMs), ended]);
  const isDone = (): boolean => service.stats().every(({ sink }) => progress.isDone(sink));
  while (!isDone() && !deadline.aborted) await pause(50, deadline);
}

function sayWhere(config: ResolvedConfig, counts: FeedCounts, logFile: string): void {
  const journal = config.journal.directory;
  say(`\n${counts.events} events recorded in ${journal}; log: ${logFile}`);
  for (const { kind, options, destination } of config.sinks) {
    if (options.enabled) say(`${kind} sink ${options.name}: ${destination}`);
  }
  say("To print some of them again:");
  say(`  ${ownCommand()} replay --journal ${journal} --kind certificate.issued --stdout`);
}

/** The command that starts this program: in a checkout `certwire` is not on the PATH. */
function ownCommand(): string {
  const script = process.argv[1] ?? "";
  return script.endsWith("main.js") ? `node ${relative(process.cwd(), script)}` : "certwire";
}
