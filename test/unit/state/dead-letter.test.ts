import assert from "node:assert/strict";
import {
  appendFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import {
  type DeadLetter,
  DeadLetterFile,
  deadRecord,
  frameOf,
} from "../../../src/state/dead-letter.ts";
import { failFlushes } from "../../support/failing-flush.ts";
import { sampleEvent } from "../../support/sample-events.ts";

let directory = "";

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "certwire-dead-letter-"));
});
after(() => rm(directory, { recursive: true }));

function letter(sequence: number): DeadLetter {
  const event = sampleEvent(sequence);
  return { time: "2026-01-02T03:04:05Z", sink: "s", reason: "rejected", message: "no", event };
}

async function readAll(path: string): Promise<DeadLetter[]> {
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as DeadLetter);
}

test("dead letters are read back whole and in their order, also those of an earlier run", async () => {
  const path = join(directory, "dead-letters", "a.ndjson");
  for (const sequences of [[1, 2], [3]]) {
    const file = new DeadLetterFile(path);
    await Promise.all(sequences.map((sequence) => file.append(letter(sequence))));
    await file.close();
  }
  assert.deepEqual(await readAll(path), [letter(1), letter(2), letter(3)]);
});

test("a dead letter is one line for any reader, and safe on a terminal", async () => {
  const path = join(directory, "hostile.ndjson");
  const hostile = { ...letter(1), message: "a\u2028b\u009b2J\u202e" };
  const file = new DeadLetterFile(path);
  await file.append(hostile);
  await file.close();
  assert.match(await readFile(path, "utf8"), /^[\u0020-\u007e]+\n$/);
  assert.deepEqual(await readAll(path), [hostile]);
});

test("a line that a crash cut off is ended, and costs no other dead letter", async () => {
  const path = join(directory, "b.ndjson");
  const first = new DeadLetterFile(path);
  await first.append(letter(1));
  await first.close();
  await appendFile(path, '{"time":"2026-01-02T0');
  const second = new DeadLetterFile(path);
  await second.append(letter(2));
  await second.close();
  const [whole, torn, next] = (await readFile(path, "utf8")).split("\n");
  assert.deepEqual(
    [whole, next].map((line) => JSON.parse(line ?? "")),
    [letter(1), letter(2)],
  );
  assert.equal(torn, '{"time":"2026-01-02T0');
});

test("no file is made before there is a dead letter", async () => {
  const file = new DeadLetterFile(join(directory, "none.ndjson"));
  await file.close();
  await assert.rejects(readFile(join(directory, "none.ndjson")), { code: "ENOENT" });
});

test("a dead letter that cannot be written is an error, and a later one is written all the same", async () => {
  const path = join(directory, "taken", "c.ndjson");
  await appendFile(join(directory, "taken"), "a file where the directory belongs");
  const file = new DeadLetterFile(path);
  await assert.rejects(file.append(letter(1)));
  await rm(join(directory, "taken"));
  await file.append(letter(2));
  await file.close();
  assert.deepEqual(await readAll(path), [letter(2)]);
});

test("a dead letter whose flush failed is an error", async (t) => {
  const file = new DeadLetterFile(join(directory, "d.ndjson"));
  const repair = await failFlushes(t);
  await assert.rejects(file.append(letter(1)), { code: "EIO" });
  repair();
  await file.append(letter(1));
  await file.close();
});

test("an undecodable record keeps all that it is decoded from, also in JSON", () => {
  const frame = {
    type: 2,
    schema: 1,
    epochNumber: 1,
    epochId: "ab",
    sequence: 2n ** 63n,
    index: 65_535,
    time: 2n ** 57n + 1n,
    payload: Buffer.from([0xff, 0x00]),
  };
  const record = deadRecord(frame);
  assert.equal(record.sequence, "9223372036854775808");
  assert.deepEqual(frameOf(JSON.parse(JSON.stringify(record))), frame);
  const strange = [{ sequence: "-1" }, { time: undefined }, { payload: "?" }, { schema: "1" }];
  for (const change of strange) assert.equal(frameOf({ ...record, ...change }), undefined);
});

/** Small limits: a letter has some 600 bytes. */
const limits = { fileBytes: 2000, maxBytes: 6000 };

test("a full file is set aside under a number, and nothing is ever deleted", async () => {
  const path = join(directory, "rotation", "e.ndjson");
  const file = new DeadLetterFile(path, limits);
  const written: number[] = [];
  for (let n = 1; n <= 8; n += 1) {
    await file.append(letter(n));
    written.push(n);
  }
  const names = (await readdir(join(directory, "rotation"))).toSorted();
  assert.ok(names.includes("e.1.ndjson") && names.includes("e.2.ndjson"), names.join());
  const all = await Promise.all(names.map((name) => readAll(join(directory, "rotation", name))));
  const ids = new Set(all.flat().map(({ event }) => event?.id));
  assert.deepEqual(ids, new Set(written.map((n) => letter(n).event?.id)));
  assert.equal(all.flat().length, written.length);
  assert.ok(file.fill > 0.5);
  await file.close();
});

test("full files that were deleted no longer count, also before the limit", async () => {
  const file = new DeadLetterFile(join(directory, "counted", "i.ndjson"), limits);
  let n = 0;
  while (file.fill < 0.7) await file.append(letter((n += 1)));
  await rm(join(directory, "counted", "i.1.ndjson"));
  const fullest = file.fill;
  await file.append(letter(n + 1));
  assert.ok(file.fill < fullest, `${file.fill} of ${fullest}`);
  await file.close();
});

test("at the limit a dead letter is refused, until files were deleted", async () => {
  const path = join(directory, "full", "f.ndjson");
  const file = new DeadLetterFile(path, limits);
  let n = 0;
  const fill = async (): Promise<void> => {
    for (; n < 100; n += 1) await file.append(letter(n + 1));
  };
  await assert.rejects(fill(), { code: "CERTWIRE_DEAD_LETTERS_FULL" });
  assert.ok(n >= 4 && n < 30, String(n));
  await assert.rejects(file.append(letter(n + 1)), { code: "CERTWIRE_DEAD_LETTERS_FULL" });
  await rm(join(directory, "full", "f.1.ndjson"));
  await file.append(letter(n + 1));
  await file.close();
});

test("a dead letter larger than the limit is written when there is no other", async () => {
  const path = join(directory, "larger", "s.ndjson");
  const file = new DeadLetterFile(path, { maxBytes: 1000, fileBytes: 250 });
  const large = { ...letter(1), message: "x".repeat(5000) };
  await file.append(large);
  assert.deepEqual(await readAll(path), [large]);
  await assert.rejects(file.append(letter(2)), { code: "CERTWIRE_DEAD_LETTERS_FULL" });
  await file.close();
});

test("a file that was deleted while it was open is created again, and no letter is lost in it", async () => {
  const path = join(directory, "g.ndjson");
  const file = new DeadLetterFile(path);
  await file.append(letter(1));
  await rm(path);
  await assert.rejects(file.append(letter(2)), /was deleted/);
  await file.append(letter(2));
  await file.close();
  assert.deepEqual(await readAll(path), [letter(2)]);
});

test("links are not followed: of the file, a second name of it, of its directory", async () => {
  const victim = join(directory, "victim");
  await writeFile(victim, "mine\n");
  const places = ["soft", "hard", "linked"].map((name) => join(directory, name));
  const [soft = "", hard = "", linked = ""] = places;
  await Promise.all([mkdir(soft), mkdir(hard), mkdir(join(directory, "elsewhere"))]);
  await symlink(victim, join(soft, "a.ndjson"));
  await link(victim, join(hard, "a.ndjson"));
  await symlink(join(directory, "elsewhere"), linked);
  for (const place of places) {
    const file = new DeadLetterFile(join(place, "a.ndjson"));
    await assert.rejects(file.append(letter(1)), { code: "ELOOP" }, place);
    await file.close();
  }
  assert.equal(await readFile(victim, "utf8"), "mine\n");
  assert.equal((await readFile(join(directory, "elsewhere", "a.ndjson"), "utf8")).length, 0);
});

test("only the service's account may read dead letters", {
  skip: process.platform === "win32",
}, async () => {
  const path = join(directory, "private", "h.ndjson");
  const file = new DeadLetterFile(path);
  await file.append(letter(1));
  await file.close();
  const modes = [await stat(path), await stat(dirname(path))].map(({ mode }) => mode & 0o777);
  assert.deepEqual(modes, [0o600, 0o700]);
});
