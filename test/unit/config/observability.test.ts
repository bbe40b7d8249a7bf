import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { z } from "zod";
import { repoRoot } from "../../integration/support/repo-root.ts";

const folder = join(repoRoot, "docker");

/** What the compose file uses of Compose; anything else has to be looked at first. */
const composeFile = z.strictObject({
  name: z.string(),
  services: z.record(
    z.string(),
    z.strictObject({
      image: z.string().regex(/^[a-z]+\/[a-z]+:v?\d+\.\d+\.\d+$/, "a pinned version"),
      network_mode: z.literal("host"),
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()).optional(),
      volumes: z.array(z.string().regex(/^[^:]+:[^:]+:ro$/, "mounted read-only")),
      configs: z.array(z.strictObject({ source: z.string(), target: z.string() })).optional(),
      restart: z.string(),
    }),
  ),
  configs: z.record(z.string(), z.strictObject({ content: z.string() })),
});
const compose = composeFile.parse(
  parse(readFileSync(join(folder, "compose.observability.yml"), "utf8")),
);

/** A configuration that Grafana reads at its start. */
function provisioned(name: string): unknown {
  return parse(compose.configs[name]?.content ?? "");
}

test("every file that the observability compose file mounts is there, and every configuration is used", () => {
  const services = Object.values(compose.services);
  for (const mount of services.flatMap(({ volumes }) => volumes)) {
    const [source = ""] = mount.split(":");
    assert.ok(existsSync(join(folder, source)), source);
  }
  const used = services.flatMap(({ configs = [] }) => configs.map(({ source }) => source));
  assert.deepEqual(used.toSorted(), Object.keys(compose.configs).toSorted());
});

test("Prometheus and Grafana of the compose file listen on the loopback address only", () => {
  const { prometheus, grafana } = compose.services;
  assert.ok(prometheus?.command?.includes("--web.listen-address=127.0.0.1:9090"));
  assert.equal(grafana?.environment?.["GF_SERVER_HTTP_ADDR"], "127.0.0.1");
});

test("Prometheus of the compose file reads the rules and scrapes the service where Grafana looks", () => {
  const config = parse(readFileSync(join(folder, "prometheus.yml"), "utf8"));
  const mounts = compose.services["prometheus"]?.volumes ?? [];
  for (const file of config.rule_files) {
    assert.ok(
      mounts.some((mount) => mount.split(":")[1] === file),
      file,
    );
  }
  assert.deepEqual(config.scrape_configs[0].static_configs[0].targets, ["127.0.0.1:9470"]);
  assert.deepEqual(provisioned("datasource"), {
    apiVersion: 1,
    datasources: [
      { name: "Prometheus", type: "prometheus", url: "http://127.0.0.1:9090", isDefault: true },
    ],
  });
});

test("Grafana of the compose file finds the dashboard in the folder that it is told", () => {
  const mounts = compose.services["grafana"]?.volumes ?? [];
  const [, target = ""] = mounts.find((each) => each.includes("dashboard"))?.split(":") ?? [];
  const found = provisioned("dashboards") as { providers: { options: { path: string } }[] };
  const [provider] = found.providers;
  assert.ok(provider && target.startsWith(`${provider.options.path}/`), target);
  const home = compose.services["grafana"]?.environment;
  assert.equal(home?.["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"], target);
});
