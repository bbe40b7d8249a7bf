import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { AlertName } from "../../../src/health/alerts.ts";
import { ask } from "../../support/http-client.ts";
import { until } from "../../support/until.ts";
import { freePorts } from "./free-ports.ts";
import { repoRoot } from "./repo-root.ts";
import { makeTempDirectory } from "./temp-directory.ts";

/** One series of the answer to a query. */
export interface QueriedSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * The shipped rules, which fire once their condition holds for a second: their times are tried out by promtool. Only
 * CertwireDown waits longer, since a busy machine may hold up a scrape.
 */
function hastyRules(): string {
  const path = join(repoRoot, "config", "prometheus-alerts.yml");
  const hasty = readFileSync(path, "utf8").replaceAll(/^( +for: ).*$/gm, "$11s");
  return hasty.replace(/(alert: CertwireDown\n.*\n +for: )1s/, "$120s");
}

/** A Prometheus that scrapes services every second. */
export class Prometheus {
  readonly #port: number;

  private constructor(port: number) {
    this.#port = port;
  }

  /** `targets`: host and port of each service. It ends with the test. */
  static async start(t: TestContext, ...targets: readonly string[]): Promise<Prometheus> {
    const directory = makeTempDirectory("prometheus");
    const [port = 0] = await freePorts(1);
    const rules = join(directory, "rules.yml");
    writeFileSync(rules, hastyRules());
    const config = join(directory, "prometheus.yml");
    const content = {
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [rules],
      scrape_configs: [{ job_name: "certwire", static_configs: [{ targets }] }],
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
    const { alerts } = await this.#get<Alerts>("/api/v1/alerts");
    return alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels.alertname);
  }

  async fires(name: AlertName): Promise<void> {
    await until(async () => (await this.firing()).includes(name), `${name} fires`, {
      everyMs: 200,
      mayThrow: true,
    });
  }

  /** The series of an expression now; throws if Prometheus does not understand it. */
  async query(expression: string): Promise<QueriedSeries[]> {
    type Vector = { result: { metric: Record<string, string>; value: [number, string] }[] };
    const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
    const { result } = await this.#get<Vector>(path);
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** The value of an expression with one series; `undefined` if there is none. */
  async value(expression: string): Promise<number | undefined> {
    return (await this.query(expression))[0]?.value;
  }

  /** The values that a label has in the series of a selector. */
  async labelValues(label: string, selector: string): Promise<string[]> {
    return this.#get(`/api/v1/label/${label}/values?match[]=${encodeURIComponent(selector)}`);
  }

  async #get<T>(path: string): Promise<T> {
    const { body } = await ask(path, { port: this.#port });
    const answer = JSON.parse(body) as { status: string; error?: string; data: T };
    if (answer.status !== "success") throw new Error(`Prometheus: ${answer.error}`);
    return answer.data;
  }
}
