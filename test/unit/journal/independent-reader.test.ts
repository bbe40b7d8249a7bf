import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decode } from "cborg";
import { SeededRandom } from "../../../src/simulate/seeded-random.ts";
import {
  type IndependentEntry,
  readJournalIndependently,
} from "../../support/independent-journal-reader.ts";
import {
  flushed,
  journalDirectory,
  openSmall,
  readAll,
  record,
} from "../../support/small-journal.ts";

const golden = join("test", "fixtures", "journal");

/** What any reader made of a journal, in one form: payloads in hex, numbers of gaps as bigint. */
type Plain = Omit<
  IndependentEntry,
  "type" | "index" | "content" | "previousHash" | "recordHash"
> & {
  readonly type: number;
  readonly index: number;
  readonly content: unknown;
  readonly previousHash?: string | undefined;
  readonly recordHash?: string | undefined;
};

function plain(entry: Plain): Plain {
  const { type, index, epochNumber, epochId, sequence, time, content } = entry;
  const { previousHash, recordHash } = entry;
  const frame = { type, index, epochNumber, epochId, sequence, time };
  return { ...frame, previousHash, recordHash, content: plainContent(content) };
}

function plainContent(content: unknown): unknown {
  if (Buffer.isBuffer(content)) return content.toString("hex");
  const members = Object.entries(content as object);
  return Object.fromEntries(
    members.map(([key, value]) => [key, typeof value === "number" ? BigInt(value) : value]),
  );
}

/** An entry of which the payload is bytes, also that of a gap which the reader found. */
function withPayload(entry: Omit<Plain, "content"> & { readonly payload: Buffer }): Plain {
  const { index, payload } = entry;
  return plain({ ...entry, content: index === 0 ? payload : decode(payload) });
}

function expected(directory: string): Plain[] {
  const text = readFileSync(join(directory, "expected.json"), "utf8");
  const { entries } = JSON.parse(text) as {
    entries: (Omit<Plain, "content"> & { sequence: string; time: string; payload: string })[];
  };
  return entries.map((entry) =>
    withPayload({
      ...entry,
      sequence: BigInt(entry.sequence),
      time: BigInt(entry.time),
      payload: Buffer.from(entry.payload, "hex"),
    }),
  );
}

async function byNativeReader(directory: string): Promise<Plain[]> {
  return (await readAll(directory)).map((frame) => {
    const { previous: previousHash, record: recordHash } = frame.hashes ?? {};
    return withPayload({ ...frame, previousHash, recordHash });
  });
}

function fromPage(directory: string): Plain[] {
  return readJournalIndependently(directory).map(plain);
}

for (const name of readdirSync(golden).toSorted()) {
  const directory = join(golden, name);
  test(`the golden journal ${name} is read alike from the page and by the native reader`, async () => {
    const wanted = expected(directory);
    assert.ok(wanted.length > 0);
    assert.deepEqual(fromPage(directory), wanted);
    assert.deepEqual(await byNativeReader(directory), wanted);
  });
}

test("a damaged journal of the real writer is read alike from the page and by the native reader", async (context) => {
  const directory = journalDirectory(context);
  for (let epoch = 0; epoch < 3; epoch += 1) {
    const simulator = openSmall(directory);
    record(simulator, 1, 100);
    await flushed(simulator);
    if (epoch !== 1) simulator.shutdown();
    simulator.close();
  }
  const names = readdirSync(directory).filter((name) => name.endsWith(".cej"));
  const random = new SeededRandom("damage");
  for (let round = 0; round < 60; round += 1) {
    const path = join(directory, random.pick(names));
    const bytes = readFileSync(path);
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    writeFileSync(path, bytes);
    assert.deepEqual(fromPage(directory), await byNativeReader(directory), `round ${round}`);
  }
});
