import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { CertwireError } from "../../../../src/errors/certwire-error.ts";
import { fileSinkOptions, resolveFileSink } from "../../../../src/sinks/file/options.ts";
import { FileSink } from "../../../../src/sinks/file/sink.ts";
import { failFlushes, holdFlushes } from "../../../support/failing-flush.ts";
import { range } from "../../../support/run-pipeline.ts";
import { sampleOutbound, sequenceOf } from "../../../support/sample-events.ts";
import { settled, until } from "../../../support/until.ts";

const signal = new AbortController().signal;

async function setUp(context: TestContext, settings: object = {}) {
  const directory = await mkdtemp(join(tmpdir(), "certwire-file-sink-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const entry = fileSinkOptions.parse({ name: "f", url: `file://${directory}`, ...settings });
  const options = resolveFileSink(entry, { baseDirectory: "/", secret: () => "" });
  const names = async () =>
    (await readdir(directory)).filter((name) => name !== "events.lock").toSorted();
  return { directory, names, create: () => new FileSink(options) };
}

test("a new file is begun at the size limit, and surplus files are deleted, oldest first", async (t) => {
  const { directory, names, create } = await setUp(t, { maxFileBytes: 4096, maxFiles: 3 });
  const sink = create();
  await sink.open();
  for (const n of range(1, 60)) await sink.publish(0, [sampleOutbound(n)], signal);
  await sink.close();
  const files = await names();
  assert.equal(files.length, 3);
  for (const name of files) assert.ok((await stat(join(directory, name))).size <= 4096);
  const last = await readFile(join(directory, files.at(-1)!), "utf8");
  assert.equal(sequenceOf(JSON.parse(last.trimEnd().split("\n").at(-1)!)), 60);
});

test("one batch may fill several files, and an event above the limit has a file of its own", async (t) => {
  const { directory, names, create } = await setUp(t, { maxFileBytes: 4096 });
  const sink = create();
  await sink.open();
  const sizes = [10, 10, 9000, 10];
  const outcome = await sink.publish(
    0,
    sizes.map((size, at) => sampleOutbound(at + 1, "ca", size)),
    signal,
  );
  await sink.close();
  assert.deepEqual(outcome, { acknowledged: 4 });
  const counts = [];
  for (const name of await names()) {
    counts.push((await readFile(join(directory, name), "utf8")).trimEnd().split("\n").length);
  }
  assert.deepEqual(counts, [2, 1, 1]);
});

test("a last line that a crash cut off is ended at the next start and damages no other line", async (t) => {
  const { directory, names, create } = await setUp(t);
  const first = create();
  await first.open();
  await first.publish(0, [sampleOutbound(1)], signal);
  await first.close();
  const [name = ""] = await names();
  await appendFile(join(directory, name), '{"specversion":"1.0","id":"half');
  const second = create();
  await second.open();
  await second.publish(0, [sampleOutbound(2)], signal);
  await second.close();
  const lines = (await readFile(join(directory, name), "utf8")).trimEnd().split("\n");
  assert.equal(lines.length, 3);
  assert.equal(sequenceOf(JSON.parse(lines[0]!)), 1);
  assert.throws(() => JSON.parse(lines[1]!));
  assert.equal(sequenceOf(JSON.parse(lines[2]!)), 2);
});

test("opening a sink creates nothing, not even a directory", async (t) => {
  const { directory, create } = await setUp(t);
  for (const isThere of [true, false]) {
    if (!isThere) await rm(directory, { recursive: true });
    const sink = create();
    await sink.open();
    await sink.close();
    assert.deepEqual(existsSync(directory) && (await readdir(directory)), isThere && []);
  }
});

test("a directory that cannot be created is reported by open", async (t) => {
  const { directory, create } = await setUp(t);
  await rm(directory, { recursive: true });
  await writeFile(directory, "in the way");
  t.after(() => rm(directory, { force: true }));
  await assert.rejects(create().open(), { code: "CERTWIRE_SINK_CONFIG" });
});

test("a second sink on a directory waits for the first, then continues after its last line", async (t) => {
  const { directory, names, create } = await setUp(t);
  const [first, second] = [create(), create()];
  await first.open();
  await first.publish(0, [sampleOutbound(1)], signal);
  const [name = ""] = await names();
  await appendFile(join(directory, name), "half a line of the first");
  await second.open();
  const { acknowledged, failure } = await second.publish(0, [sampleOutbound(2)], signal);
  assert.equal(acknowledged, 0);
  assert.equal(failure?.kind, "retry-identical");
  const cause = failure?.cause as CertwireError;
  assert.equal(cause.code, "CERTWIRE_DIRECTORY_IN_USE");
  assert.match(
    cause.message,
    new RegExp(`process ${process.pid} on .*, running since 2.*${directory}`),
  );
  const written = await readFile(join(directory, name), "utf8");
  assert.ok(
    written.endsWith("half a line of the first"),
    "a torn line is the first one's business",
  );
  await first.close();
  assert.deepEqual(await second.publish(0, [sampleOutbound(2)], signal), { acknowledged: 1 });
  await second.close();
});

test("foreign files in the directory are left alone", async (t) => {
  const { directory, names, create } = await setUp(t, { maxFileBytes: 4096, maxFiles: 1 });
  await appendFile(join(directory, "notes.txt"), "mine");
  const sink = create();
  await sink.open();
  for (const n of range(1, 30)) await sink.publish(0, [sampleOutbound(n)], signal);
  await sink.close();
  assert.equal((await names()).length, 2);
  assert.equal(await readFile(join(directory, "notes.txt"), "utf8"), "mine");
});

test("an event whose flush failed is not acknowledged, and is sent again", async (t) => {
  const { directory, names, create } = await setUp(t);
  const sink = create();
  await sink.open();
  const repair = await failFlushes(t);
  const outcome = await sink.publish(0, [sampleOutbound(1)], signal);
  assert.equal(outcome.acknowledged, 0);
  assert.equal(outcome.failure?.kind, "reset");
  repair();
  assert.deepEqual(await sink.publish(0, [sampleOutbound(1)], signal), { acknowledged: 1 });
  await sink.close();
  const [name = ""] = await names();
  const lines = (await readFile(join(directory, name), "utf8")).trimEnd().split("\n");
  assert.equal(sequenceOf(JSON.parse(lines.at(-1)!)), 1);
});

test("events whose file was deleted or replaced meanwhile are in no file, so they are not acknowledged", async (t) => {
  const { directory, names, create } = await setUp(t);
  const sink = create();
  await sink.open();
  await sink.publish(0, [sampleOutbound(1)], signal);
  const path = join(directory, "events-00000001.ndjson");
  const displace: (() => Promise<void>)[] = [
    () => rm(path),
    async () => {
      await rename(path, join(directory, "kept"));
      await writeFile(path, "");
    },
    () => rm(directory, { recursive: true }),
  ];
  for (const [at, change] of displace.entries()) {
    await change();
    const batch = [sampleOutbound(at + 2)];
    const { acknowledged, failure } = await sink.publish(0, batch, signal);
    assert.deepEqual([acknowledged, failure?.kind], [0, "retry-identical"]);
    assert.match(failure?.cause.message ?? "", /was deleted or replaced/);
    assert.deepEqual(await sink.publish(0, batch, signal), { acknowledged: 1 });
    const text = await readFile(path, "utf8");
    assert.equal(sequenceOf(JSON.parse(text.trimEnd().split("\n").at(-1) ?? "")), at + 2);
  }
  await sink.close();
  assert.deepEqual(await names(), ["events-00000001.ndjson"]);
});

test("a sink whose disk hangs ends its publish when that is stopped, and closes", async (t) => {
  const { create } = await setUp(t);
  const disk = await holdFlushes(t, "events-00000001.ndjson");
  t.after(() => disk.release());
  const sink = create();
  await sink.open();
  const stop = new AbortController();
  const publishing = sink.publish(0, [sampleOutbound(1)], stop.signal);
  await until(() => disk.held() === 1, "the flush hangs");
  stop.abort();
  const { acknowledged, failure } = await settled(publishing, "the publish has ended");
  assert.equal(acknowledged, 0);
  assert.equal(failure?.kind, "reset");
  assert.equal(failure?.cause.message, "stopped before the publish ended");
  await settled(sink.close(), "the sink is closed");
});
