// The real service in the job of certwire-service.exe, both killed in turn while a CA works.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventContext, eventsOfFrame } from "../support/exit-records.ts";
import { published, publishedLines, textsIn } from "../support/published-files.ts";
import { cliMain, startCli } from "../support/run-cli.ts";
import { scaled, sizeFromEnvironment } from "../support/scale.ts";
import { readAll } from "../support/small-journal.ts";
import { until } from "../support/until.ts";
import { HostDirectory, processIn, serviceHost } from "./support/host-service.ts";
import { nodeForWindows, prepareWine, startWine, windowsPath } from "./support/wine.ts";

/** How often the host or its program is killed. */
const kills = sizeFromEnvironment("CERTWIRE_HOST_KILLS", scaled(5));
const eventsPerSecond = 10;
/** A kill comes after fewer events than this of a life. */
const mostBeforeKill = 50;

/** A configuration of the real service, and where its host writes. */
class KilledService {
  readonly directory = new HostDirectory();
  readonly journal = join(this.directory.path, "journal");
  readonly events = join(this.directory.path, "events");
  readonly #log = join(this.directory.path, "console");
  readonly #node: string;
  #host: ChildProcess;

  private constructor(node: string) {
    this.#node = node;
    mkdirSync(this.journal);
    const config = {
      journal: { directory: windowsPath(this.journal) },
      state: { directory: windowsPath(join(this.directory.path, "state")) },
      sinks: [{ name: "files", url: "file:events", maxFiles: 0 }],
    };
    writeFileSync(this.directory.config, JSON.stringify(config));
    this.#host = this.startHost();
  }

  static async start(context: TestContext): Promise<KilledService> {
    const service = new KilledService(await nodeForWindows());
    context.after(() => service.killHost());
    return service;
  }

  startHost(): ChildProcess {
    const { config } = this.directory;
    const paths = { "--node": this.#node, "--program": cliMain, "--config": config };
    const options = Object.entries(paths).flatMap(([name, path]) => [name, windowsPath(path)]);
    this.#host = startWine(serviceHost, ["--console", ...options], this.#log);
    return this.#host;
  }

  async killHost(): Promise<void> {
    this.#host.kill("SIGKILL");
    await until(() => this.program() === undefined, "the program is gone with its host");
  }

  program(): number | undefined {
    return processIn(this.directory, "node.exe");
  }

  /** Waits for a program to be at work that is not the one before, and returns it. */
  async newProgram(before: number | undefined): Promise<number> {
    const lines = publishedLines(this.events);
    const program = await until(
      () => {
        const found = this.program();
        return found !== before && found;
      },
      "another program runs",
      { everyMs: 100, state: () => this.newestLines() },
    );
    await until(() => publishedLines(this.events) > lines, "it publishes", {
      everyMs: 100,
      state: () => this.newestLines(),
    });
    return program;
  }

  newestLines(): string[] {
    return readFileSync(this.#log, "utf8").split("\n").slice(-20);
  }
}

test("a service whose host or program is killed again and again loses nothing", async (t) => {
  if (!(await prepareWine(t))) return;
  const service = await KilledService.start(t);
  const simulate = ["simulate", "-j", service.journal, "--rate", String(eventsPerSecond)];
  const simulator = startCli(simulate);
  t.after(() => simulator.child.kill("SIGKILL"));
  let program: number | undefined;
  for (let kill = 0; kill < kills; kill += 1) {
    program = await service.newProgram(program);
    const most = publishedLines(service.events) + randomInt(mostBeforeKill);
    const isDue = () => publishedLines(service.events) >= most;
    await until(isDue, `${most} events are published`, { everyMs: 100 });
    if (kill % 2 === 0) {
      process.kill(program, "SIGKILL");
    } else {
      await service.killHost();
      service.startHost();
    }
  }
  await service.newProgram(program);
  simulator.child.kill("SIGTERM");
  assert.equal((await simulator.ended).exitCode, 0);
  const context = eventContext();
  const frames = await readAll(service.journal);
  const ids = frames.flatMap((frame) => eventsOfFrame(frame, context)).map(({ id }) => id);
  const last = `"id":"${ids.at(-1)}"`;
  const isThere = (): boolean => textsIn(service.events).some((text) => text.includes(last));
  await until(isThere, "the last event is published", {
    everyMs: 100,
    state: () => service.newestLines(),
  });
  const all = published(service.events).map(({ id }) => id);
  assert.deepEqual(new Set(all), new Set(ids));
  t.diagnostic(`${ids.length} events, ${kills} kills, ${all.length - ids.length} repeated`);
});
