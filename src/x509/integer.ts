import { DerError } from "./reader.ts";

/**
 * An INTEGER as upper-case hex of whole bytes without leading zero bytes, the form of serial numbers everywhere
 * in Certwire. A negative one, which RFC 5280 forbids, is a minus sign and the hex of its amount, as OpenSSL
 * writes it, so that it cannot be taken for the positive number with the same octets. Throws `DerError` for
 * more than 64 octets.
 */
export function integerHex(content: Buffer): string {
  const value = integerOf(content);
  const digits = (value < 0n ? -value : value).toString(16).toUpperCase();
  const whole = digits.length % 2 === 0 ? digits : `0${digits}`;
  return value < 0n ? `-${whole}` : whole;
}

/** An INTEGER in decimal. Throws `DerError` for more than 64 octets. */
export function integerDecimal(content: Buffer): string {
  return integerOf(content).toString();
}

function integerOf(content: Buffer): bigint {
  if (content.length === 0 || content.length > 64) throw new DerError("integer out of range");
  return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString("hex")}`));
}
