import { oidOctets } from "../../src/x509/oid.ts";

/** An element of DER; its length has three octets, which only BER allows for a short one. */
export const der = (tag: number, ...content: Buffer[]) => {
  const body = Buffer.concat(content);
  const length = Buffer.from([
    0x83,
    body.length >> 16,
    (body.length >> 8) & 0xff,
    body.length & 0xff,
  ]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
};
/** An object identifier from its dotted form. */
export const oid = (dotted: string) => der(0x06, oidOctets(dotted));
/** An element whose content is a text of one octet a character. */
export const text = (tag: number, value: string) => der(tag, Buffer.from(value, "latin1"));

/** An AlgorithmIdentifier. */
export const algorithm = der(0x30, oid("1.2.840.113549.1.1.11"));
/** A name that is only a common name, whose value is an element. */
export const name = (commonName: Buffer) =>
  der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), commonName)));
const validity = der(0x30, text(0x17, "250101000000Z"), text(0x17, "260101000000Z"));
const publicKey = der(0x30, der(0x30, oid("1.3.101.112")), der(0x03, Buffer.alloc(33)));

/** An extension; `more` stands after its value. */
export const extension = (type: string, value: Buffer, ...more: Buffer[]) =>
  der(0x30, oid(type), der(0x04, value), ...more);
/** The extensions of a certificate. */
export const extensions = (...members: Buffer[]) => der(0xa3, der(0x30, ...members));

/** A certificate of version 3; `rest` stands after its public key. */
export function certificate(rest: Buffer[], subject = name(text(0x0c, "x"))): Buffer {
  const version = der(0xa0, text(0x02, "\x02"));
  const parts = [version, text(0x02, "\x05"), algorithm, name(text(0x0c, "ca"))];
  const tbs = der(0x30, ...parts, validity, subject, publicKey, ...rest);
  return der(0x30, tbs, algorithm, der(0x03, Buffer.alloc(2)));
}
