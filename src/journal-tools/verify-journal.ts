import { filetimeText } from "../events/times.ts";
import { frameTypes, type JournalFrame } from "../journal/frame.ts";
import { listHeadless, listImpostors, listSegments } from "../journal/segments.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import type { NativeReaderStats } from "../native/addon.ts";
import { decodeContent } from "../sources/decode-frame.ts";
import { JournalMap } from "./journal-map.ts";

/** One finding of a check. */
export interface JournalFinding {
  /**
   * `changed`: a record that verifies, but is not what the exit module wrote at this place; `damage`: bytes that do not verify; `missing`: segments or epochs that are gone; `undecodable`: verified
   * bytes that are not a record; `loss`: events that the writer could not record; `unclean-stop`: a CA that
   * ended without sealing its journal; `impostor`: a directory, link or pipe with the name of a segment. The
   * first four make a journal damaged.
   */
  readonly kind:
    | "changed"
    | "damage"
    | "missing"
    | "undecodable"
    | "loss"
    | "unclean-stop"
    | "impostor";
  /** Where: epoch and sequence, or the name of a file. */
  readonly place: string;
  /** Absent for a file. */
  readonly record?: {
    readonly epochNumber: number;
    readonly epochId: string;
    readonly sequence: number;
  };
  readonly detail: string;
}

/** The result of a check. */
export interface JournalVerdict {
  readonly directory: string;
  readonly epochs: number;
  readonly segments: number;
  readonly bytes: number;
  /** Verified records. */
  readonly records: number;
  /** Ranges of bytes that do not verify, apart from the torn end of an epoch whose CA was killed. */
  readonly damagedRanges: number;
  readonly findings: readonly JournalFinding[];
  /** True if something that was written is damaged, undecodable or gone. */
  readonly isDamaged: boolean;
  /** False when the check was stopped early. */
  readonly isComplete: boolean;
}

/** Reports how far a check is, in bytes of the journal and verified records. */
export type OnProgress = (doneBytes: number, totalBytes: number, records: number) => void;

const damagingKinds = new Set<JournalFinding["kind"]>([
  "changed",
  "damage",
  "missing",
  "undecodable",
]);

/** Takes each record and gap of a journal, in its order, with what was found in it. */
export type OnFrame = (frame: JournalFrame, findings: readonly JournalFinding[]) => void;

/** Verifies every frame of a journal. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
export async function verifyJournal(
  directory: string,
  signal: AbortSignal,
  onProgress: OnProgress = () => undefined,
  onFrame: OnFrame = () => undefined,
): Promise<JournalVerdict> {
  const segments = await listSegments(directory);
  const map = new JournalMap(segments);
  const findings = [
    ...(await listHeadless(directory, segments)).map(headless),
    ...(await listImpostors(directory)).map(impostor),
  ];
  const journal = new WholeJournal(directory);
  const times = new EpochTimes();
  let records = 0;
  try {
    for await (const frames of journal.chunks(signal)) {
      for (const frame of frames) {
        const found = findingsOf(frame);
        findings.push(...found);
        times.add(frame);
        onFrame(frame, found);
      }
      records += frames.filter(({ type }) => type === frameTypes.event).length;
      onProgress(map.bytesBefore(frames.at(-1)?.position), map.bytes, records);
    }
    const { damagedRanges, ...chain } = journal.stats();
    findings.push(...brokenBetween(chain, findings), ...times.findings());
    return {
      directory,
      epochs: map.epochs,
      segments: segments.length,
      bytes: map.bytes,
      records,
      damagedRanges,
      findings,
      isDamaged: damagedRanges > 0 || findings.some(({ kind }) => damagingKinds.has(kind)),
      isComplete: !signal.aborted,
    };
  } finally {
    journal.close();
  }
}

/** When the epochs of a journal ran: one after the other, since a CA has one process. */
class EpochTimes {
  readonly #epochs = new Map<string, { number: number; since: bigint; until: bigint }>();

  add({ epochId, epochNumber: number, time, index }: JournalFrame): void {
    if (index !== 0) return;
    const epoch = this.#epochs.get(epochId) ?? { number, since: time, until: time };
    if (time < epoch.since) epoch.since = time;
    if (time > epoch.until) epoch.until = time;
    this.#epochs.set(epochId, epoch);
  }

  findings(): JournalFinding[] {
    const found: JournalFinding[] = [];
    const inTime = [...this.#epochs].toSorted(([, a], [, b]) => (a.since < b.since ? -1 : 1));
    let latest = inTime[0]?.[1];
    for (const [epochId, epoch] of inTime.slice(1)) {
      if (latest !== undefined && epoch.since < latest.until) {
        const { number: epochNumber } = epoch;
        const detail = `it ran while epoch ${latest.number} did, so it is of another journal`;
        const record = { epochNumber, epochId, sequence: 1 };
        found.push({ kind: "changed", place: `epoch ${epochNumber}`, record, detail });
      }
      if (latest === undefined || epoch.until > latest.until) latest = epoch;
    }
    return found;
  }
}

/** A link that is broken at a frame which is not a record: the end of an epoch is not what it was. */
function brokenBetween(
  { brokenLinks, brokenEpoch, brokenSequence }: Omit<NativeReaderStats, "damagedRanges">,
  findings: readonly JournalFinding[],
): JournalFinding[] {
  const count = brokenLinks - findings.filter(({ kind }) => kind === "changed").length;
  if (count <= 0) return [];
  const place = `epoch ${brokenEpoch}, sequence ${brokenSequence}`;
  const record = { epochNumber: brokenEpoch, epochId: "", sequence: Number(brokenSequence) };
  const detail = `the records before a mark or seal are not those that were there, ${count} times`;
  return [{ kind: "changed", place, record, detail }];
}

function headless(name: string): JournalFinding {
  return { kind: "damage", place: name, detail: "the header of the segment does not verify" };
}

function impostor(name: string): JournalFinding {
  return { kind: "impostor", place: name, detail: "not a file; passed over" };
}

function findingsOf(frame: JournalFrame): JournalFinding[] {
  const { epochNumber, epochId, sequence } = frame;
  const place = `epoch ${epochNumber}, sequence ${sequence}`;
  const record = { epochNumber, epochId, sequence: Number(sequence) };
  const content = decodeContent(frame);
  const changed: JournalFinding[] = frame.isChainBroken
    ? [{ kind: "changed", place, record, detail: "not what the exit module wrote at this place" }]
    : [];
  if ("undecodable" in content) {
    const detail = content.undecodable.message;
    return [...changed, { kind: "undecodable", place, record, detail }];
  }
  if ("record" in content) return changed;
  const { count, lastSequence, reason } = content.gap;
  const until = lastSequence === undefined ? "" : ` to sequence ${lastSequence}`;
  const lost = count === undefined ? "" : `, ${count} events`;
  const detail = `${reason}${until}${lost}, ${filetimeText(frame.time)}`;
  return [...changed, { kind: kindOfGap(reason), place, record, detail }];
}

function kindOfGap(reason: string): JournalFinding["kind"] {
  if (reason === "corrupt") return "damage";
  if (reason === "unclean-stop") return reason;
  return ["missing-segment", "retention", "rollback"].includes(reason) ? "missing" : "loss";
}
