/** What all ASN.1 of the simulated CA has in common: the libraries, and what goes in and out of them. */
import type { IAsnConverter, IAsnConvertible } from "@peculiar/asn1-schema";
import type { AlgorithmIdentifier } from "@peculiar/asn1-x509";
import { loadLibrary } from "../libraries.ts";
import type { Algorithm } from "./signing-key.ts";

/** The libraries for ASN.1, each loaded when it is first used. Throws CERTWIRE_OPTIONAL_LIBRARY. */
export const libraries = {
  get schema() {
    return loadLibrary("@peculiar/asn1-schema") as typeof import("@peculiar/asn1-schema");
  },
  get x509() {
    return loadLibrary("@peculiar/asn1-x509") as typeof import("@peculiar/asn1-x509");
  },
  get csr() {
    return loadLibrary("@peculiar/asn1-csr") as typeof import("@peculiar/asn1-csr");
  },
};

/** DER of an object of the libraries. */
export function encode(value: object): Buffer {
  return Buffer.from(libraries.schema.AsnConvert.serialize(value));
}

/** Bytes in the form that the libraries take. */
export function bytesOf(buffer: Uint8Array): ArrayBuffer {
  return Uint8Array.from(buffer).buffer;
}

/** Text that has a form in UTF-8: the half of a surrogate pair becomes U+FFFD. */
export function utf8Text(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}

/** DER of an INTEGER of any size. */
export function encodeInteger(value: number | bigint): Buffer {
  return encode(libraries.schema.AsnIntegerBigIntConverter.toASN(BigInt(value)));
}

/**
 * True for the dotted form of an object identifier that the libraries write. One with an arc from 2^49 to 2^56 has no
 * content then, without an error.
 */
export function isWritableOid(text: string): boolean {
  if (!/^(?:[01]\.[1-3]?\d|2\.(?:0|[1-9]\d*))(?:\.(?:0|[1-9]\d*))*$/.test(text)) return false;
  const { AsnObjectIdentifierConverter } = libraries.schema;
  return encode(AsnObjectIdentifierConverter.toASN(text)).length > 2;
}

/** The element that bytes begin with, as the libraries read it. Throws if they cannot. */
export function parseElement(bytes: Uint8Array): Element {
  return libraries.schema.AsnAnyConverter.toASN(bytesOf(bytes));
}

/** Content of the INTEGER that hex digits make: what the libraries take as a serial number. */
export function serialNumberOf(hex: string): ArrayBuffer {
  const { AsnIntegerArrayBufferConverter, AsnIntegerBigIntConverter } = libraries.schema;
  return AsnIntegerArrayBufferConverter.fromASN(
    AsnIntegerBigIntConverter.toASN(BigInt(`0x${hex}`)),
  );
}

/** The AlgorithmIdentifier of an algorithm. */
export function algorithmIdentifier({ oid, parameters }: Algorithm): AlgorithmIdentifier {
  return new libraries.x509.AlgorithmIdentifier({
    algorithm: oid,
    ...(parameters && { parameters: bytesOf(parameters) }),
  });
}

/** What an element of the library below asn1-schema is asked for. */
type Element = ReturnType<IAsnConverter["toASN"]>;

/**
 * An object of `type` that is in DER already: the libraries write the bytes as they are. So a signed body is encoded
 * once, and an entry of a CRL once for all its CRLs.
 */
export function encoded<T extends object>(type: new () => T, der: Buffer): T {
  const bytes = bytesOf(der);
  const element = {
    toBER(_sizeOnly: boolean, writer: { write(bytes: ArrayBuffer): void }): ArrayBuffer {
      writer.write(bytes);
      return bytes;
    },
  };
  const convertible: Pick<IAsnConvertible, "toASN" | "fromASN"> = {
    toASN: () => element as unknown as Element,
    fromASN: () => {
      throw new TypeError("is written, not read");
    },
  };
  return Object.assign(Object.create(type.prototype) as T, convertible);
}
