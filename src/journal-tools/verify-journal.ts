import { filetimeText } from "../events/times.ts";
import { frameTypes, type JournalFrame } from "../journal/frame.ts";
import { listHeadless, listImpostors, listSegments } from "../journal/segments.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import { decodeContent } from "../sources/decode-frame.ts";
import { JournalMap } from "./journal-map.ts";

/** One finding of a check. */
export interface JournalFinding {
  /**
   * `damage`: bytes that do not verify; `missing`: segments or epochs that are gone; `undecodable`: verified
   * bytes that are not a record; `loss`: events that the writer could not record; `unclean-stop`: a CA that
   * ended without sealing its journal; `impostor`: a directory, link or pipe with the name of a segment. The
   * first three make a journal damaged.
   */
  readonly kind: "damage" | "missing" | "undecodable" | "loss" | "unclean-stop" | "impostor";
  /** Where: epoch and sequence, or the name of a file. */
  readonly place: string;
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

const damagingKinds = new Set<JournalFinding["kind"]>(["damage", "missing", "undecodable"]);

/** Verifies every frame of a journal. Rejects with CERTWIRE_JOURNAL_UNREADABLE. */
export async function verifyJournal(
  directory: string,
  signal: AbortSignal,
  onProgress: OnProgress = () => undefined,
): Promise<JournalVerdict> {
  const segments = await listSegments(directory);
  const map = new JournalMap(segments);
  const findings = [
    ...(await listHeadless(directory, segments)).map(headless),
    ...(await listImpostors(directory)).map(impostor),
  ];
  const journal = new WholeJournal(directory);
  let records = 0;
  try {
    for await (const frames of journal.chunks(signal)) {
      for (const frame of frames) findings.push(...findingsOf(frame));
      records += frames.filter(({ type }) => type === frameTypes.event).length;
      onProgress(map.bytesBefore(frames.at(-1)?.position), map.bytes, records);
    }
    const { damagedRanges } = journal.stats();
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

function headless(name: string): JournalFinding {
  return { kind: "damage", place: name, detail: "the header of the segment does not verify" };
}

function impostor(name: string): JournalFinding {
  return { kind: "impostor", place: name, detail: "not a file; passed over" };
}

function findingsOf(frame: JournalFrame): JournalFinding[] {
  const place = `epoch ${frame.epochNumber}, sequence ${frame.sequence}`;
  const content = decodeContent(frame);
  if ("undecodable" in content) {
    return [{ kind: "undecodable", place, detail: content.undecodable.message }];
  }
  if ("record" in content) return [];
  const { count, lastSequence, reason } = content.gap;
  const until = lastSequence === undefined ? "" : ` to sequence ${lastSequence}`;
  const lost = count === undefined ? "" : `, ${count} events`;
  const detail = `${reason}${until}${lost}, ${filetimeText(frame.time)}`;
  return [{ kind: kindOfGap(reason), place, detail }];
}

function kindOfGap(reason: string): JournalFinding["kind"] {
  if (reason === "corrupt") return "damage";
  if (reason === "unclean-stop") return reason;
  return ["missing-segment", "retention", "rollback"].includes(reason) ? "missing" : "loss";
}
