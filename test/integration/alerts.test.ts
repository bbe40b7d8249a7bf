// The shipped alerts in a real Prometheus that scrapes a real service, brought to fire by real faults.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { startMortalRabbitmq } from "../support/mortal-brokers.ts";
import { startCli } from "../support/run-cli.ts";
import { flushed, journalDirectory, openSmall, record } from "../support/small-journal.ts";
import { until } from "../support/until.ts";
import { freePorts } from "./support/free-ports.ts";
import { Prometheus } from "./support/prometheus.ts";

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
