// The exit module's writer and the service's retention as a pair, over the range of settings and record sizes.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { applyRetention, type RetentionPolicy } from "../../../src/journal/retention.ts";
import { compareSegments, listSegments } from "../../../src/journal/segments.ts";
import { capacityOf, type SpaceRule, spaceRule } from "../../../src/journal/space-rule.ts";
import { loadNative, type NativeExitSimulator } from "../../../src/native/addon.ts";
import { scaled, sizeFromEnvironment } from "../../support/scale.ts";
import { journalDirectory, smallEvent } from "../../support/small-journal.ts";
import { until } from "../../support/until.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** An eighth of every size, so that a journal is filled quickly; what a segment holds beside a record stays. */
const eighth: SpaceRule = {
  ...spaceRule,
  firstSegmentBytes: spaceRule.firstSegmentBytes / 8,
  largestSegmentBytes: spaceRule.largestSegmentBytes / 8,
  leastJournalBytes: spaceRule.leastJournalBytes / 8,
};

interface Settings {
  readonly maxJournalBytes: number;
  readonly minFreeBytes: number;
  /** Space on the volume for the journal above `minFreeBytes`. */
  readonly spareBytes: number;
  readonly maxMemoryBytes: number;
  readonly ownMaxBytes: number;
  readonly ownMinFreeBytes: number;
  /** Sizes of the records, taken in turn. */
  readonly weights: readonly number[];
  /** The CA restarts after each time that the journal was filled by this share. */
  readonly restartAfter: number;
}

const atLeast = (most: number) => fc.integer({ min: eighth.leastJournalBytes, max: most });
const settings: fc.Arbitrary<Settings> = fc.record({
  maxJournalBytes: atLeast(24 * mebibyte),
  minFreeBytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 64 * mebibyte })),
  spareBytes: fc.oneof(fc.constant(2 ** 30), atLeast(24 * mebibyte)),
  maxMemoryBytes: fc.integer({ min: 32 * mebibyte, max: 64 * mebibyte }),
  ownMaxBytes: fc.oneof(fc.constant(2 ** 34), atLeast(24 * mebibyte)),
  ownMinFreeBytes: fc.oneof(fc.constant(0), fc.constant(2 ** 31)),
  weights: fc.array(
    fc.oneof(
      { arbitrary: fc.integer({ min: 0, max: 8 * kibibyte }), weight: 6 },
      { arbitrary: fc.integer({ min: 8 * kibibyte, max: mebibyte }), weight: 3 },
      { arbitrary: fc.integer({ min: mebibyte, max: 17 * mebibyte }), weight: 1 },
    ),
    { minLength: 1, maxLength: 12 },
  ),
  restartAfter: fc.double({ min: 0.2, max: 3, noNaN: true }),
});

/** A CA whose journal lies on a small volume, and a service whose sinks have everything. */
class Pair {
  readonly #directory: string;
  readonly #settings: Settings;
  readonly #policy: RetentionPolicy;
  readonly #volumeBytes: number;
  #simulator: NativeExitSimulator;
  #lastId = 0;

  constructor(directory: string, given: Settings) {
    this.#directory = directory;
    this.#settings = given;
    this.#volumeBytes = given.minFreeBytes + given.spareBytes;
    this.#policy = {
      replayWindowMs: 86_400_000,
      maxBytes: given.ownMaxBytes,
      minFreeBytes: given.ownMinFreeBytes,
    };
    this.#simulator = this.#open();
  }

  #open(): NativeExitSimulator {
    const { maxJournalBytes, minFreeBytes, maxMemoryBytes } = this.#settings;
    return new (loadNative().ExitSimulator)({
      directory: this.#directory,
      caName: "Space CA",
      firstSegmentBytes: eighth.firstSegmentBytes,
      maxSegmentBytes: eighth.largestSegmentBytes,
      maxJournalBytes,
      minFreeBytes,
      maxMemoryBytes,
      volumeBytes: this.#volumeBytes,
      flushIntervalMs: 5,
    });
  }

  restart(): void {
    this.#simulator.shutdown();
    this.#simulator.close();
    this.#simulator = this.#open();
  }

  close(): void {
    this.#simulator.close();
  }

  /** Records an event; the bytes of its record, at most. */
  record(weight: number): number {
    this.#lastId += 1;
    this.#simulator.notify(smallEvent(this.#lastId, weight));
    return Math.min(weight, this.#settings.maxJournalBytes / eighth.segmentsInCapacity) + 200;
  }

  /** Rounds of retention until everything is written. */
  async catchUp(): Promise<void> {
    const isWritten = async (): Promise<boolean> => {
      const { appended, committed } = this.#simulator.stats();
      if (committed === appended) return true;
      await this.#deletePublished();
      return false;
    };
    await until(isWritten, `the journal goes on: ${JSON.stringify(this.#settings)}`);
    await this.#deletePublished();
    assert.equal(this.#simulator.stats().dropped, 0, JSON.stringify(this.#settings));
  }

  async #deletePublished(): Promise<void> {
    const last = (await listSegments(this.#directory)).toSorted(compareSegments).at(-1);
    if (last === undefined) return;
    const { epochNumber, epochId, segment, firstSequence } = last;
    const position = { epochNumber, epochId, segment, offset: 4096, sequence: firstSequence };
    await applyRetention(this.#directory, [{ sink: "a", position }], this.#policy, {
      rule: eighth,
      freeBytes: (journalBytes) => Math.max(0, this.#volumeBytes - journalBytes),
    });
  }
}

test("as long as sinks keep up, no settings and record sizes stop the journal or lose anything", async (context) => {
  const runs = sizeFromEnvironment("CERTWIRE_SPACE_RUNS", scaled(20));
  const property = fc.asyncProperty(settings, async (given) => {
    const directory = journalDirectory(context);
    const pair = new Pair(directory, given);
    const capacity = Math.min(given.maxJournalBytes, given.spareBytes);
    try {
      let [written, pending, sinceRestart] = [0, 0, 0];
      for (let at = 0; written < 2.2 * capacity && at < 3000; at += 1) {
        const bytes = pair.record(given.weights[at % given.weights.length] ?? 0);
        written += bytes;
        pending += bytes;
        sinceRestart += bytes;
        // A service looks again before a writer that fills its journal quickly has no space left.
        if (pending < capacity / 24) continue;
        await pair.catchUp();
        pending = 0;
        if (sinceRestart < given.restartAfter * capacity) continue;
        pair.restart();
        sinceRestart = 0;
      }
      await pair.catchUp();
    } finally {
      pair.close();
      rmSync(directory, { recursive: true });
    }
  });
  await fc.assert(property, { numRuns: runs, endOnFailure: true });
});

test("writer and service have the same numbers", () => {
  const header = readFileSync(join("addon", "core", "include", "journal", "space_rule.h"), "utf8");
  const units: Record<string, number> = { kKibibyte: kibibyte, kMebibyte: mebibyte };
  const number = (name: string): number => {
    const [, digits, unit = ""] =
      new RegExp(`constexpr uint64_t ${name} = (\\d+)(?: \\* (\\w+))?;`).exec(header) ?? [];
    return Number(digits) * (units[unit] ?? 1);
  };
  assert.deepEqual(spaceRule, {
    firstSegmentBytes: number("kFirstSegmentBytes"),
    largestSegmentBytes: number("kLargestSegmentBytes"),
    segmentsInCapacity: number("kSegmentsInCapacity"),
    largestRecordBytes: number("kLargestRecordBytes"),
    segmentOverheadBytes: number("kSegmentOverheadBytes"),
    leastJournalBytes: number("kLeastJournalBytes"),
  });
});

test("the capacity is the maximum, or what the volume still gives", () => {
  const limits = { maxBytes: 100, minFreeBytes: 20, journalBytes: 30, freeBytes: 40 };
  assert.equal(capacityOf(limits), 50);
  assert.equal(capacityOf({ ...limits, maxBytes: 45 }), 45);
  assert.equal(capacityOf({ ...limits, freeBytes: 0, journalBytes: 10 }), 0);
});
