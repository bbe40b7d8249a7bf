import type { Frame } from "../exit/frame.ts";
import type { JournalPosition } from "./position.ts";

/**
 * One frame as the reader hands it over: an EVENT or a GAP. EPOCH, MARK and SEAL frames never leave the
 * reader.
 */
export interface JournalFrame extends Frame {
  /** Place behind this frame: where reading goes on once this frame is done with. */
  readonly position: JournalPosition;
}
