import { CertwireError } from "../errors/certwire-error.ts";
import { decodeGap } from "../exit/decode-gap.ts";
import { decodeRecord } from "../exit/decode-record.ts";
import { frameTypes, type JournalFrame } from "../journal/frame.ts";
import { filetimeText } from "../events/times.ts";
import { listHeadless, listSegments } from "../journal/segments.ts";
import { WholeJournal } from "../journal/whole-journal.ts";
import { JournalMap } from "./journal-map.ts";

/** Something that a check found. */
export interface Finding {
  /**
   * `damage`: bytes that do not verify; `missing`: segments or epochs that are not there;
   * `undecodable`: verified bytes that are no record; `loss`: what the writer could not record;
   * `unclean-stop`: a CA that ended without sealing its journal. The first three make a journal damaged.
   */
  readonly kind: "damage" | "missing" | "undecodable" | "loss" | "unclean-stop";
  /** Where: epoch and sequence, or the name of a file. */
  readonly place: string;
  readonly detail: string;
}

/** What a check found out. */
export interface JournalCheck {
  readonly directory: string;
  readonly epochs: number;
  readonly segments: number;
  readonly bytes: number;
  /** Verified records. */
  readonly records: number;
  /** Ranges of bytes that do not verify; also the torn end of an epoch whose CA was killed counts. */
  readonly damagedRanges: number;
  readonly findings: readonly Finding[];
  /** True when what is in the journal now is not all that was written and not deleted. */
  readonly isDamaged: boolean;
  /** False when the check was stopped early. */
  readonly isComplete: boolean;
}

/** Told how far a check is, in bytes of the journal and verified records. */
export type OnProgress = (doneBytes: number, totalBytes: number, records: number) => void;

const damagingKinds = new Set<Finding["kind"]>(["damage", "missing", "undecodable"]);

/** Verifies every frame of a journal. Rejects with a CertwireError when it cannot be read. */
export async function checkJournal(
  directory: string,
  signal: AbortSignal,
  onProgress: OnProgress = () => undefined,
): Promise<JournalCheck> {
  const segments = await listSegments(directory);
  const map = new JournalMap(segments);
  const findings = (await listHeadless(directory, segments)).map(headless);
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

function headless(name: string): Finding {
  return { kind: "damage", place: name, detail: "the header of the segment does not verify" };
}

function findingsOf(frame: JournalFrame): Finding[] {
  const place = `epoch ${frame.epochNumber}, sequence ${frame.sequence}`;
  try {
    if (frame.type !== frameTypes.gap) {
      decodeRecord(frame.payload);
      return [];
    }
    const gap = decodeGap(frame.payload);
    const { count, lastSequence, reason } = gap;
    const until = lastSequence === undefined ? "" : ` to sequence ${lastSequence}`;
    const lost = count === undefined ? "" : `, ${count} events`;
    const detail = `${reason}${until}${lost}, ${filetimeText(frame.time)}`;
    return [{ kind: kindOfGap(reason), place, detail }];
  } catch (error) {
    if (!(error instanceof CertwireError)) throw error;
    return [{ kind: "undecodable", place, detail: error.message }];
  }
}

function kindOfGap(reason: string): Finding["kind"] {
  if (reason === "corrupt") return "damage";
  if (reason === "unclean-stop") return reason;
  return ["missing-segment", "retention", "rollback"].includes(reason) ? "missing" : "loss";
}
