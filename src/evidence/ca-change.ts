import type { Frame, JournalFrame } from "../journal/frame.ts";
import { decodeContent } from "../sources/decode-frame.ts";

/**
 * True if a record has the same certificate of the CA as the last one before it in its epoch, so that the CA has not
 * changed there. `chunks`: frames of its epoch up to the record, in their order.
 */
export async function keepsCertificate(
  chunks: AsyncIterable<readonly JournalFrame[]>,
  { epochId, sequence }: { readonly epochId: string; readonly sequence: number },
): Promise<boolean> {
  let before: Buffer | undefined;
  for await (const frames of chunks) {
    for (const frame of frames) {
      if (frame.epochId !== epochId) return false;
      const certificate = certificateIn(frame);
      if (Number(frame.sequence) >= sequence) {
        return before !== undefined && certificate?.equals(before) === true;
      }
      before = certificate ?? before;
    }
  }
  return false;
}

function certificateIn(frame: Frame): Buffer | undefined {
  const content = decodeContent(frame);
  const value = "record" in content ? content.record.ca.get("RawCACertificate") : undefined;
  return Buffer.isBuffer(value) ? value : undefined;
}
