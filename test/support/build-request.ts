import { algorithm, certificate, der, extension, name, oid, text } from "./build-der.ts";

/** An element of indefinite length, as BER allows it. */
export const open = (tag: number, ...content: Buffer[]) =>
  Buffer.concat([Buffer.from([tag, 0x80]), ...content, Buffer.from([0, 0])]);
/** An INTEGER from 0 to 127. */
export const integer = (value: number) => der(0x02, Buffer.from([value]));
/** A text in UTF-16 of the other byte order. */
export const bmp = (value: string) => der(0x1e, Buffer.from(value, "utf16le").swap16());
export const utf8 = (value: string) => der(0x0c, Buffer.from(value));
/** An OCTET STRING in chunks of the given size, of indefinite length. */
export function chunked(content: Buffer, chunkBytes: number): Buffer {
  const count = Math.ceil(content.length / chunkBytes);
  const chunks = Array.from({ length: count }, (_, index) =>
    der(0x04, content.subarray(index * chunkBytes, (index + 1) * chunkBytes)),
  );
  return open(0x24, ...chunks);
}

/** Object identifiers of requests, by the names that Windows and RFC 5272 give them. */
export const types = {
  addAttributes: "1.3.6.1.4.1.311.10.10.1",
  addExtensions: "1.3.6.1.5.5.7.7.8",
  archivedKey: "1.3.6.1.4.1.311.21.13",
  challengePassword: "1.2.840.113549.1.9.7",
  clientInfo: "1.3.6.1.4.1.311.21.20",
  csp: "1.3.6.1.4.1.311.13.2.2",
  data: "1.2.840.113549.1.7.1",
  extensionRequest: "1.2.840.113549.1.9.14",
  microsoftExtensions: "1.3.6.1.4.1.311.2.1.14",
  osVersion: "1.3.6.1.4.1.311.13.2.3",
  pair: "1.3.6.1.4.1.311.13.2.1",
  pkiData: "1.3.6.1.5.5.7.12.2",
  registrationInfo: "1.3.6.1.5.5.7.7.18",
  renewalCertificate: "1.3.6.1.4.1.311.13.1",
  signedData: "1.2.840.113549.1.7.2",
} as const;

export const attribute = (type: string, ...values: Buffer[]) =>
  der(0x30, oid(type), der(0x31, ...values));
export const control = (type: string, ...values: Buffer[]) =>
  der(0x30, integer(1), oid(type), der(0x31, ...values));
export const pair = (first: Buffer, second: Buffer) => der(0x30, first, second);
/** The attribute with what the client says about itself. */
export const clientInfo = (id: number, machine: string, user: string, process: string) =>
  attribute(types.clientInfo, der(0x30, integer(id), utf8(machine), utf8(user), utf8(process)));
/** The alternative names of an extension, from plain DNS names. */
export const dnsNames = (...names: string[]) =>
  extension("2.5.29.17", der(0x30, ...names.map((value) => text(0x82, value))));

/** A key of Ed25519. */
export const publicKey = der(0x30, der(0x30, oid("1.3.101.112")), der(0x03, Buffer.alloc(33)));

/** A PKCS#10 request; `rest` stands after its attributes. */
export function pkcs10(
  attributes: Buffer[],
  subject = name(text(0x0c, "x")),
  ...rest: Buffer[]
): Buffer {
  const info = der(0x30, integer(0), subject, publicKey, der(0xa0, ...attributes), ...rest);
  return der(0x30, info, algorithm, der(0x03, Buffer.alloc(2)));
}

/** Parts of a signed message; each is absent by default. */
export interface SignedParts {
  readonly certificates?: Buffer[];
  readonly signers?: Buffer[];
}

/** SignedData in its ContentInfo, around content that is an OCTET STRING already. */
export function signed(
  type: string,
  content: Buffer,
  { certificates = [], signers = [] }: SignedParts = {},
): Buffer {
  const members = [integer(3), der(0x31), der(0x30, oid(type), der(0xa0, content))];
  if (certificates.length > 0) members.push(der(0xa0, ...certificates));
  return der(0x30, oid(types.signedData), der(0xa0, der(0x30, ...members, der(0x31, ...signers))));
}

/** A signer by issuer and serial number, or by key; `attributes` are the signed ones. */
export function signer(identifier: Buffer, ...attributes: Buffer[]): Buffer {
  const signature = der(0x04, Buffer.alloc(4));
  return der(
    0x30,
    integer(1),
    identifier,
    algorithm,
    der(0xa0, ...attributes),
    algorithm,
    signature,
  );
}

/** The parts of PKIData; each is empty by default. */
export interface CmcParts extends SignedParts {
  readonly controls?: Buffer[];
  /** TaggedRequests. */
  readonly requests?: Buffer[];
  /** TaggedContentInfos. */
  readonly messages?: Buffer[];
}

export const tagged = (request: Buffer) => der(0xa0, integer(1), request);

export function pkiData({ controls = [], requests = [], messages = [] }: CmcParts): Buffer {
  return der(
    0x30,
    der(0x30, ...controls),
    der(0x30, ...requests),
    der(0x30, ...messages),
    der(0x30),
  );
}

/** A CMC message. */
export function cmc(parts: CmcParts): Buffer {
  return signed(types.pkiData, der(0x04, pkiData(parts)), parts);
}

const sampleInfo = clientInfo(5, "pc.contoso.com", "CONTOSO\\alice", "a.exe");
const added = (value: Buffer) => der(0x30, integer(0), der(0x30, integer(1)), value);

/** A CMC message with each part that Certwire reads. */
export const cmcSample = cmc({
  controls: [
    control(types.addAttributes, added(der(0x31, sampleInfo))),
    control(types.addExtensions, added(der(0x30, dnsNames("a.example")))),
    control(types.registrationInfo, chunked(Buffer.from("ccm=pc&Challenge=x"), 5)),
  ],
  requests: [
    tagged(
      pkcs10([
        sampleInfo,
        attribute(types.osVersion, text(0x16, "10.0.20348.2")),
        attribute(types.pair, pair(bmp("CertificateTemplate"), bmp("WebServer"))),
        attribute(types.renewalCertificate, certificate([])),
      ]),
    ),
  ],
  signers: [signer(der(0x80, Buffer.from([1])))],
});
