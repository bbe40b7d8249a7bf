/** Fields about an error, as `describeError` gives them. */
export const failure = ["code", "error", "hint"] as const;

/** Counters and state of a sink. */
export const progress = [
  "sink",
  "kind",
  "state",
  "isConnected",
  "lanes",
  "inFlightEvents",
  "inFlightBytes",
  "oldestUnacknowledged",
  "publishedEvents",
  "batches",
  "acknowledgedEvents",
  "acknowledgedBytes",
  "skippedEvents",
  "failures",
  "deadLetters",
  "openFailures",
  "sourceFailures",
  "gaps",
  "checkpoints",
  "checkpointFailures",
  "relayouts",
  "unmarkedFrames",
  "damagedRanges",
  "brokenLinks",
] as const;
