import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { framesOf } from "../../src/journal/journal-reader.ts";
import type { JournalPosition } from "../../src/journal/position.ts";
import { listSegments } from "../../src/journal/segments.ts";
import { loadNative } from "../../src/native/addon.ts";
import { SeededRandom } from "../../src/simulate/seeded-random.ts";

const sectorBytes = 512;

/**
 * Does to the newest epoch, whose writer has ended, what a power cut may do: of what no MARK says that it is
 * durable, any sectors are zeros, and any file may have lost its end. Returns the place after the last
 * durable record; `null` when there is none in that epoch.
 */
export async function cutPower(directory: string, seed: string): Promise<JournalPosition | null> {
  const random = new SeededRandom(seed);
  const segments = await listSegments(directory);
  const epochId = segments.at(-1)?.epochId;
  const last = await lastDurable(directory);
  const durable = last !== undefined && last.epochId === epochId ? last : null;
  for (const segment of segments.filter((each) => each.epochId === epochId)) {
    if (durable !== null && segment.segment < durable.segment) continue;
    const from = segment.segment === durable?.segment ? durable.offset : 0;
    const file = await open(join(directory, segment.name), "r+");
    try {
      await tear(file, from, random);
    } finally {
      await file.close();
    }
  }
  return durable;
}

async function tear(file: FileHandle, from: number, random: SeededRandom): Promise<void> {
  const { size } = await file.stat();
  const end = random.fraction() < 0.3 ? from + random.below(size - from + 1) : size;
  await file.truncate(end);
  const tail = Buffer.alloc(end - from);
  await file.read(tail, 0, tail.length, from);
  // Half of the sectors, or all of them.
  const share = random.fraction() < 0.5 ? 0.5 : 1;
  for (let at = from; at < end; ) {
    const next = Math.min((Math.floor(at / sectorBytes) + 1) * sectorBytes, end);
    if (random.fraction() < share) tail.fill(0, at - from, next - from);
    at = next;
  }
  await file.write(tail, 0, tail.length, from);
}

/** The place after the last record that a MARK, or the end of its epoch, shows to be durable. */
async function lastDurable(directory: string): Promise<JournalPosition | undefined> {
  const reader = new (loadNative().JournalReader)({
    directory,
    quarantineDirectory: null,
    mode: "durable",
    position: null,
    maxBatchBytes: 1024 * 1024,
    maxBatchFrames: 1000,
  });
  let last: JournalPosition | undefined;
  try {
    for (let batch = await reader.read(); batch; batch = await reader.read()) {
      last = framesOf(batch).at(-1)?.position ?? last;
    }
  } finally {
    reader.close();
  }
  return last;
}
