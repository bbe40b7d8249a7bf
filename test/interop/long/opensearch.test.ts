import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { encodeEvent } from "../../../src/events/outbound-event.ts";
import { freePorts } from "../../integration/support/free-ports.ts";
import { ManagedProcess } from "../../integration/support/managed-process.ts";
import { repoRoot } from "../../integration/support/repo-root.ts";
import {
  makeTempDirectory,
  removeTempDirectory,
} from "../../integration/support/temp-directory.ts";
import { readGoldenEvents } from "../../support/golden-events.ts";
import { until } from "../../support/until.ts";
import { keepResult } from "../support/results.ts";

/** What `_bulk` says of one document. */
interface BulkItem {
  readonly index: { readonly _id: string; readonly status: number; readonly error?: object };
}

/** A node that is not started yet. */
function nodeIn(directory: string, port: number): ManagedProcess {
  mkdirSync(join(directory, "config"));
  return new ManagedProcess({
    name: "OpenSearch",
    command: "java",
    args: [
      "-Xmx512m",
      "-Dopensearch.set.netty.runtime.available.processors=false",
      "-cp",
      join(repoRoot, "var", "opensearch-libs", "*"),
      join(repoRoot, "test", "interop", "opensearch", "OpenSearchNode.java"),
      directory,
      String(port),
    ],
    cwd: directory,
    logFile: join(directory, "node.log"),
  });
}

async function start(node: ManagedProcess, url: string): Promise<void> {
  node.start();
  const isReady = async () => (await fetch(`${url}/_cluster/health`)).ok;
  await until(isReady, "OpenSearch serves", {
    withinMs: 600_000,
    mayThrow: true,
    everyMs: 200,
    giveUp: () => node.assertRunning(),
  });
}

async function ask<T>(url: string, body?: string): Promise<T> {
  const headers = { "content-type": "application/x-ndjson" };
  const response = await fetch(url, body === undefined ? {} : { method: "POST", headers, body });
  const text = await response.text();
  assert.ok(response.ok, text);
  return JSON.parse(text) as T;
}

/** Indexes the golden events into one index without a mapping, and checks that all of them are found. */
async function assertIndexed(url: string): Promise<void> {
  const golden = readGoldenEvents();
  const lines = golden.map(
    ({ event }) =>
      `${JSON.stringify({ index: { _index: "golden", _id: event.id } })}\n${encodeEvent(event).json.toString()}\n`,
  );
  const { items } = await ask<{ items: BulkItem[] }>(`${url}/_bulk?refresh=true`, lines.join(""));
  const refused = items.filter(({ index }) => index.status !== 201);
  assert.deepEqual(refused, []);
  const { count } = await ask<{ count: number }>(`${url}/golden/_count?q=specversion:1.0`);
  assert.equal(count, golden.length);
  const { version } = await ask<{ version: { number: string } }>(url);
  keepResult({
    software: "OpenSearch",
    version: version.number,
    passed: { result: `${count} of ${golden.length}` },
  });
}

test("OpenSearch indexes every golden event with dynamic mapping, and refuses none", async () => {
  const directory = makeTempDirectory("opensearch");
  const [port = 0] = await freePorts(1);
  const node = nodeIn(directory, port);
  const url = `http://127.0.0.1:${port}`;
  try {
    await start(node, url);
    await assertIndexed(url);
  } finally {
    await node.kill();
    removeTempDirectory(directory);
  }
});
