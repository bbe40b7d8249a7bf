// The shipped alerts in a real Prometheus that scrapes a real service, brought to fire by real faults.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import type { AlertName } from "../../src/health/alerts.ts";
import { ask } from "../support/http-client.ts";
import { startMortalRabbitmq } from "../support/mortal-brokers.ts";
import { startCli } from "../support/run-cli.ts";
import { flushed, journalDirectory, openSmall, record } from "../support/small-journal.ts";
import { until } from "../support/until.ts";
import { freePorts } from "./support/free-ports.ts";
import { repoRoot } from "./support/repo-root.ts";
import { makeTempDirectory } from "./support/temp-directory.ts";

/**
 * The shipped rules, which fire once their condition holds for a second: their times are tried out by promtool. Only
 * CertwireDown waits longer, since a busy machine may hold up a scrape.
 */
function hastyRules(): string {
  const path = join(repoRoot, "config", "prometheus-alerts.yml");
  const hasty = readFileSync(path, "utf8").replaceAll(/^( +for: ).*$/gm, "$11s");
  return hasty.replace(/(alert: CertwireDown\n.*\n +for: )1s/, "$120s");
}

/** What Prometheus' API answers. */
async function query<T>(port: number, path: string): Promise<T> {
  const { body } = await ask(path, { port });
  return (JSON.parse(body) as { data: T }).data;
}

/** A Prometheus that scrapes one service every second. */
class Prometheus {
  readonly #port: number;

  private constructor(port: number) {
    this.#port = port;
  }

  static async start(t: TestContext, target: string): Promise<Prometheus> {
    const directory = makeTempDirectory("prometheus");
    const [port = 0] = await freePorts(1);
    const rules = join(directory, "rules.yml");
    writeFileSync(rules, hastyRules());
    const config = join(directory, "prometheus.yml");
    const content = {
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [rules],
      scrape_configs: [{ job_name: "certwire", static_configs: [{ targets: [target] }] }],
    };
    writeFileSync(config, JSON.stringify(content));
    const options = {
      "config.file": config,
      "storage.tsdb.path": join(directory, "data"),
      "web.listen-address": `127.0.0.1:${port}`,
    };
    const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const child = spawn("prometheus", words, { stdio: "ignore" });
    t.after(() => child.kill("SIGKILL"));
    await until(async () => (await ask("/-/ready", { port })).code === 200, "Prometheus is ready", {
      mayThrow: true,
    });
    return new Prometheus(port);
  }

  /** Names of the alerts that fire now. */
  async firing(): Promise<string[]> {
    type Alerts = { alerts: { state: string; labels: { alertname: string } }[] };
    const { alerts } = await query<Alerts>(this.#port, "/api/v1/alerts");
    return alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels.alertname);
  }

  /** The value of an expression with one series; `undefined` if there is none. */
  async value(expression: string): Promise<number | undefined> {
    type Vector = { result: { value: [number, string] }[] };
    const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
    const { result } = await query<Vector>(this.#port, path);
    return result[0] && Number(result[0].value[1]);
  }

  async fires(name: AlertName): Promise<void> {
    await until(async () => (await this.firing()).includes(name), `${name} fires`, {
      everyMs: 200,
      mayThrow: true,
    });
  }
}

test("a broker, a CA and a service that die make three alerts fire in a real Prometheus, and none before", async (t) => {
  const broker = await startMortalRabbitmq();
  t.after(() => broker.stop());
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  t.after(() => simulator.close());
  const [port = 0] = await freePorts(1);
  const config = join(dirname(journal), "certwire.json");
  await broker.makePlace("events");
  const content = {
    journal: { directory: journal },
    state: { directory: "state" },
    http: { listen: `127.0.0.1:${port}` },
    sinks: [broker.mortalSink("events", { retryInitialMs: 10, retryMaxMs: 50 })],
  };
  writeFileSync(config, JSON.stringify(content));
  const service = startCli(["run", "--config", config]);
  t.after(() => service.child.kill("SIGKILL"));
  record(simulator, 1, 20);
  await flushed(simulator);

  const prometheus = await Prometheus.start(t, `127.0.0.1:${port}`);
  const acknowledged = "sum(certwire_events_acknowledged_total)";
  await until(
    async () => (await prometheus.value(acknowledged)) === 20,
    "Prometheus has the number of published events",
    { everyMs: 200 },
  );
  // Several evaluations of a service that works.
  const scrapes = "sum(count_over_time(up[1h]))";
  const before = (await prometheus.value(scrapes)) ?? 0;
  await until(async () => ((await prometheus.value(scrapes)) ?? 0) >= before + 3, "it scrapes on", {
    everyMs: 200,
  });
  assert.deepEqual(await prometheus.firing(), []);

  const { refused } = broker.deaths;
  await refused.die();
  record(simulator, 21, 40);
  await flushed(simulator);
  await prometheus.fires("CertwireSinkDown");
  await refused.revive();
  await until(
    async () => (await prometheus.firing()).length === 0,
    "the alert ends with the outage",
    { everyMs: 200 },
  );

  simulator.close();
  await prometheus.fires("CertwireWriterGone");
  service.child.kill("SIGKILL");
  await prometheus.fires("CertwireDown");
});
