import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Status } from "../../src/health/status.ts";
import { ask } from "../support/http-client.ts";
import { parseMetrics, type Samples } from "../support/parse-metrics.ts";
import { runCli, startCli } from "../support/run-cli.ts";
import { flushed, journalDirectory, openSmall, record } from "../support/small-journal.ts";
import { until } from "../support/until.ts";

const events = 200;

/** A journal at work, a configuration of a service that serves it, and a server that has its port. */
async function setUp(t: TestContext) {
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  t.after(() => simulator.close());
  record(simulator, 1, events);
  await flushed(simulator);
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", () => resolve()));
  const { port } = blocker.address() as { port: number };
  const config = join(dirname(journal), "certwire.json");
  const text = JSON.stringify({
    journal: { directory: journal },
    state: { directory: join(dirname(journal), "state") },
    http: { listen: `127.0.0.1:${port}` },
    sinks: [
      { name: "files", url: "file:events" },
      {
        name: "broken",
        url: "amqp://127.0.0.1:1/?exchange=one",
        retryMaxMs: 20,
        retryInitialMs: 1,
      },
    ],
  });
  writeFileSync(config, text);
  return { journal, simulator, config, port, blocker };
}

async function scrape(port: number): Promise<Samples> {
  return parseMetrics((await ask("/metrics", { port })).body).samples;
}

test("a service is seen from outside: an address in use holds up no event, then every number fits", async (t) => {
  const { journal, simulator, config, port, blocker } = await setUp(t);
  const service = startCli(["run", "--config", config]);
  t.after(() => service.child.kill("SIGKILL"));
  await service.logged("the HTTP endpoint cannot listen");
  const published = join(dirname(journal), "events", "events-00000001.ndjson");
  const lines = () => readFileSync(published, "utf8").split("\n").length - 1;
  await until(() => lines() === events, "every event is published", { mayThrow: true });
  await new Promise((resolve) => blocker.close(resolve));
  await service.logged("the HTTP endpoint listens");

  const acknowledged =
    'certwire_events_acknowledged_total{sink="files",event_kind="certificate.issued"}';
  const samples = await until(async () => {
    const found = await scrape(port);
    const isSaved = found.get('certwire_backlog_records{sink="files"}') === 0;
    const isFailing = found.get('certwire_health_state{state="failing"}') === 1;
    return isSaved && isFailing && found;
  }, "the numbers are final");
  assert.equal(samples.get(acknowledged), events);
  assert.equal(samples.get('certwire_end_to_end_latency_seconds_count{sink="files"}'), events);
  assert.equal(samples.get('certwire_backlog_age_seconds{sink="files"}'), 0);
  assert.equal(samples.get('certwire_sink_state{sink="files",state="publishing"}'), 1);
  assert.ok((samples.get('certwire_backlog_bytes{sink="broken"}') ?? 0) >= 1000 * events);
  assert.ok((samples.get('certwire_open_failures_total{sink="broken"}') ?? 0) >= 10);
  const reason = 'certwire_health_reason{code="sink-unreachable",sink="broken",state="failing"}';
  assert.equal(samples.get(reason), 1);
  assert.equal(samples.get("certwire_writer_up"), 1);

  const readyz = await ask("/readyz", { port });
  assert.deepEqual([readyz.code, readyz.body], [503, "failing\nfailing sink-unreachable broken\n"]);
  const status = JSON.parse((await ask("/status", { port })).body) as Status;
  assert.deepEqual(
    status.sinks.map(({ name, state }) => [name, state]),
    [
      ["files", "publishing"],
      ["broken", "connecting"],
    ],
  );
  // The command says the same, of what journal and state do not show too.
  const found = await until(async () => {
    const answer = await runCli("status", "-c", config, "--json");
    // The service writes what it knows every ten seconds.
    return answer.exitCode === 11 && (JSON.parse(answer.stdout) as Status);
  }, "the command finds what the service knows");
  assert.deepEqual(
    found.reasons.map(({ code, sink }) => [code, sink]),
    [["sink-unreachable", "broken"]],
  );
  assert.equal(found.service.pid, service.child.pid);
  assert.equal(found.journal?.newest?.sequence, status.journal?.newest?.sequence);

  record(simulator, events + 1, 2 * events);
  await until(
    async () => (await scrape(port)).get(acknowledged) === 2 * events,
    "the counter has grown",
  );
  service.child.kill("SIGTERM");
  const { exitCode, stderr } = await service.ended;
  assert.equal(exitCode, 0);
  // The log and the endpoint count in the same place.
  const last = stderr
    .split("\n")
    .filter((line) => line.includes('"sink":"files"') && line.includes('"msg":"progress"'))
    .map((line) => JSON.parse(line) as { acknowledgedEvents: number })
    .at(-1);
  assert.equal(last?.acknowledgedEvents, 2 * events);
});
