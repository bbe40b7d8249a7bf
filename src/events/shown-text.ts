import type { RecordText } from "../exit/record.ts";
import { wellFormed, withoutNul } from "../x509/text.ts";

/** A text of a record as an event shows it. */
export interface ShownText {
  readonly text: string;
  /** The UTF-16LE bytes of the text, only where it is shown with another text. */
  readonly utf16?: Buffer;
}

/** A text for JSON: invalid UTF-16 and U+0000 are replaced by U+FFFD. */
export function shownText(value: RecordText): ShownText {
  if (typeof value === "string" && !value.includes("\0")) return { text: value };
  const utf16 = typeof value === "string" ? Buffer.from(value, "utf16le") : value.utf16;
  return { text: withoutNul(wellFormed(utf16.toString("utf16le"))), utf16 };
}
