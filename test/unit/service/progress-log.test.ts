import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parseConfig } from "../../../src/config/load.ts";
import { keepProgressLog } from "../../../src/service/progress-log.ts";
import { Service } from "../../../src/service/service.ts";
import { collectLog } from "../../support/collect-log.ts";
import { sampleObservation } from "../../support/sample-observation.ts";
import { flushed, journalDirectory, openSmall, record } from "../../support/small-journal.ts";
import { until } from "../../support/until.ts";

test("the log shows regularly, and at the end, how far each sink is", async (context) => {
  const journal = journalDirectory(context);
  const simulator = openSmall(journal);
  context.after(() => simulator.close());
  record(simulator, 1, 20);
  await flushed(simulator);
  const text = JSON.stringify({
    journal: { directory: journal },
    state: { directory: join(dirname(journal), "state") },
    sinks: [{ name: "files", url: "file:events" }],
  });
  const { log, lines } = collectLog();
  const config = parseConfig(join(dirname(journal), "certwire.json"), text);
  const service = await Service.create({ config, log });
  const stop = new AbortController();
  const running = service.run(stop.signal);
  await until(() => service.stats()[0]?.acknowledgedEvents === 20, "everything is published");
  const progress = () => lines.filter(({ msg }) => msg === "progress");
  const options = { stats: () => service.stats(), log, intervalMs: 5 };
  const logging = keepProgressLog(options, stop.signal);
  await until(() => progress().length >= 2, "two lines");
  stop.abort();
  await Promise.all([running, logging]);
  const last = progress().at(-1);
  assert.equal(last?.["sink"], "files");
  assert.equal(last["state"], "stopped");
  assert.equal(last["acknowledgedEvents"], 20);
  assert.equal(last["inFlightEvents"], 0);
});

test("a sink that only makes dead letters is not idle", async () => {
  const { log, lines } = collectLog();
  const stop = new AbortController();
  const [view] = sampleObservation().views;
  assert.ok(view);
  const { stats } = view;
  let looks = 0;
  const read = () => {
    looks += 1;
    return [{ ...stats, deadLetters: { ...stats.deadLetters, rejected: looks } }];
  };
  const logging = keepProgressLog({ stats: read, log, intervalMs: 1 }, stop.signal);
  await until(() => looks >= 30, "30 looks");
  stop.abort();
  await logging;
  assert.equal(lines.filter(({ msg }) => msg === "progress").length, looks);
});
