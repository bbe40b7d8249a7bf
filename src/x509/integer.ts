import { DerError } from "./reader.ts";

/**
 * An INTEGER as upper-case hex of whole bytes without leading zero bytes, the form of serial numbers everywhere
 * in Certwire. A negative one, which RFC 5280 forbids, shows its octets as they are, as certutil does. Throws
 * `DerError` for more than 64 octets.
 */
export function integerHex(content: Buffer): string {
  if (content.length === 0 || content.length > 64) throw new DerError("integer out of range");
  let start = 0;
  while (start < content.length - 1 && content[start] === 0) start++;
  return content.toString("hex", start).toUpperCase();
}

/** An INTEGER in decimal. Throws `DerError` for more than 64 octets. */
export function integerDecimal(content: Buffer): string {
  return BigInt(`0x${integerHex(content)}`).toString();
}
