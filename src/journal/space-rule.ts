import { kibibyte, mebibyte } from "../units.ts";

/**
 * How writer and retention share the space of a journal, so that it never stops while everything is published.
 * docs/explanation/journal-reader-and-writer.md has the rule; addon/core/include/journal/space_rule.h is the
 * writer's half with the same numbers.
 */
export interface SpaceRule {
  /** Size of the smallest segments that the writer creates, in bytes. */
  readonly firstSegmentBytes: number;
  /** Size up to which segments grow, in bytes. */
  readonly largestSegmentBytes: number;
  /** A segment has at most this part of the capacity. */
  readonly segmentsInCapacity: number;
  /** Size of the largest record, in bytes; it has a segment of its own. */
  readonly largestRecordBytes: number;
  /** What a segment has at most beside one large record, in bytes. */
  readonly segmentOverheadBytes: number;
  /** Least capacity with which the journal keeps going, in bytes. */
  readonly leastJournalBytes: number;
}

/** The numbers of the exit module. */
export const spaceRule: SpaceRule = {
  firstSegmentBytes: 4 * mebibyte,
  largestSegmentBytes: 64 * mebibyte,
  segmentsInCapacity: 16,
  largestRecordBytes: 16 * mebibyte,
  segmentOverheadBytes: 128 * kibibyte,
  leastJournalBytes: 64 * mebibyte,
};

/** What limits the size of a journal. */
export interface SpaceLimits {
  /** Maximum size of the journal, in bytes. */
  readonly maxBytes: number;
  /** Free space that the journal leaves on its volume, in bytes. */
  readonly minFreeBytes: number;
  /** Size of the journal, in bytes. */
  readonly journalBytes: number;
  /** Bytes free on the volume. */
  readonly freeBytes: number;
}

/** Bytes that the journal may come to have: its maximum, or what it has and may still take of the volume. */
export function capacityOf(limits: SpaceLimits): number {
  const { maxBytes, minFreeBytes, journalBytes, freeBytes } = limits;
  return Math.max(0, Math.min(maxBytes, journalBytes + freeBytes - minFreeBytes));
}

/** Size of the largest segment that the writer may need next, in bytes. */
export function largestSegment(limits: SpaceLimits, rule = spaceRule): number {
  const share = capacityOf(limits) / rule.segmentsInCapacity;
  const recordBytes = Math.min(
    rule.largestRecordBytes,
    limits.maxBytes / rule.segmentsInCapacity - rule.segmentOverheadBytes,
  );
  return Math.max(
    rule.firstSegmentBytes,
    Math.min(rule.largestSegmentBytes, share),
    recordBytes + rule.segmentOverheadBytes,
  );
}
