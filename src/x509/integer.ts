import { DerError } from "./reader.ts";

/**
 * An INTEGER of at most 64 octets as upper-case hex of whole bytes without the leading zero bytes of its encoding, the
 * form of serial numbers everywhere in Certwire. A negative one (which RFC 5280 forbids) shows its
 * octets as they are, like certutil.
 */
export function integerHex(content: Buffer): string {
  if (content.length === 0 || content.length > 64) throw new DerError("integer out of range");
  let start = 0;
  while (start < content.length - 1 && content[start] === 0) start++;
  return content.toString("hex", start).toUpperCase();
}

/** An INTEGER of at most 64 octets in decimal. */
export function integerDecimal(content: Buffer): string {
  return BigInt(`0x${integerHex(content)}`).toString();
}
