import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startKafka } from "../../integration/support/brokers.ts";
import { repoRoot } from "../../integration/support/repo-root.ts";
import { startAll } from "../../integration/support/start-all.ts";
import { lifelikeEvents } from "../../support/lifelike-events.ts";
import { kafkaSink } from "../../support/make-sink.ts";
import { publishEvents } from "../../support/publish-events.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";
import { scaled } from "../../support/scale.ts";
import { until } from "../../support/until.ts";
import { OpenSearchNode } from "../support/opensearch-node.ts";
import { keepResult } from "../support/results.ts";

const program = join(repoRoot, "build", "js", "examples", "siem", "main.js");
const kills = 3;
const target = "certwire-ecs";
const { events } = lifelikeEvents("siem", scaled(3_000, { least: 600 }), { withCrls: false });
const ids = events.map(({ id }) => id);
/** The broker has some of them twice, as after a crash of the service. */
const published = [...events, ...events.slice(-200)];

/** Every document's id, by pages. */
async function idsIn(node: OpenSearchNode): Promise<string[]> {
  interface Hit {
    readonly _source: { readonly event: { readonly id: string } };
    readonly _id: string;
    readonly sort: unknown[];
  }
  const found: string[] = [];
  let after: unknown[] | undefined;
  for (;;) {
    const body = {
      size: 1000,
      sort: [{ "event.id": "asc" }],
      _source: ["event.id"],
      ...(after && { search_after: after }),
    };
    const path = `/${target}/_search`;
    const { hits } = await node.ask<{ hits: { hits: Hit[] } }>(path, { method: "POST", body });
    if (hits.hits.length === 0) return found;
    for (const { _id: id, _source: source } of hits.hits) {
      assert.equal(id, source.event.id);
      found.push(id);
    }
    after = hits.hits.at(-1)?.sort;
  }
}

test("the recipe for SIEMs brings each event from Kafka into OpenSearch once, killed again and again and with OpenSearch killed in between", async (t) => {
  const [kafka, node] = await startAll(startKafka(), OpenSearchNode.start());
  t.after(() => Promise.all([kafka.stop(), node.stop()]));
  const template = readFileSync("examples/siem/ecs-index-template.json", "utf8");
  const path = "/_index_template/certwire-ecs";
  await node.ask(path, { method: "PUT", body: JSON.parse(template) as object });
  await kafka.createTopic("siem", { partitions: 3 });
  await publishEvents(t, published, kafkaSink(kafka.bootstrapServers, "siem"));

  const directory = temporaryDirectory(t);
  const refused = join(directory, "refused.ndjson");
  const settings = join(directory, "settings.json");
  const log = join(directory, "log");
  writeFileSync(
    settings,
    JSON.stringify({
      kafka: { brokers: kafka.bootstrapServers, topic: "siem" },
      opensearch: { url: node.url, target },
      batch: { events: 50 },
      refused,
    }),
  );
  const start = (): ChildProcess => {
    const child = spawn(
      "sh",
      ["-c", `exec "$@" 2>> "$LOG"`, "sh", process.execPath, program, "forward", settings],
      {
        env: { ...process.env, LOG: log },
        stdio: "inherit",
      },
    );
    t.after(() => child.kill("SIGKILL"));
    return child;
  };
  const has = async (child: ChildProcess, count: number): Promise<number> => {
    let found = 0;
    const isThere = async () => {
      await node.ask(`/${target}/_refresh`, { method: "POST" });
      found = await node.count(target);
      return found >= count;
    };
    // Before the first document there is no data stream, and a node that has just started may have no shard yet.
    await until(isThere, `${count} are there`, {
      everyMs: 50,
      mayThrow: true,
      state: () => found,
      giveUp: () => assert.equal(child.exitCode, null, readFileSync(log, "utf8")),
    });
    return found;
  };

  let inTheMiddle = 0;
  for (let round = 1; round <= kills; round += 1) {
    const child = start();
    const found = await has(child, Math.floor((round * ids.length) / (2 * kills)));
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    assert.deepEqual(await ended, [null, "SIGKILL"]);
    if (found < ids.length) inTheMiddle += 1;
  }
  const last = start();
  await has(last, Math.floor((2 * ids.length) / 3));
  await node.kill();
  await until(() => readFileSync(log, "utf8").includes("ECONNREFUSED"), "it says that it is down");
  await node.restart();
  await has(last, ids.length);
  const ended = once(last, "exit");
  last.kill("SIGTERM");
  assert.deepEqual(await ended, [0, null]);

  assert.deepEqual((await idsIn(node)).toSorted(), ids.toSorted(), "0 lost, 0 doubled");
  assert.equal(existsSync(refused), false, "0 refused");
  t.diagnostic(`${published.length} messages, ${kills} kills, ${inTheMiddle} before the end`);
  keepResult({
    software: "OpenSearch, `examples/siem`",
    version: await node.version(),
    passed: { result: `${ids.length} of ${ids.length}` },
  });
});
