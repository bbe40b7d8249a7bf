import {
  caCertificateProperties,
  caProperties,
  certificateProperties,
  requestProperties,
  revocationProperties,
} from "../../events/properties.ts";
import { redactedValue } from "../../events/secrets.ts";
import { exitEvents } from "../../exit/ca-codes.ts";
import type {
  AttributeValue,
  ExitRecord,
  RecordCrl,
  RecordText,
  RecordValue,
} from "../../exit/record.ts";
import type { SimulatedEvent, SimulatedValue } from "../../native/addon.ts";
import { isSecretName } from "../../x509/secret-names.ts";

/** What the exit module reads, as addon/collect/property_table.cc lists it; a test compares the two. */
export const collected = {
  request: Object.keys({ ...requestProperties, ...revocationProperties }),
  certificate: ["RawCertificate", ...Object.keys(certificateProperties)],
  /** At every event. */
  ca: ["RawCACertificate", "SanitizedCAName", "MachineDNSName", "CAType"],
  /** At an event about a request. */
  caOfRequest: ["RequesterCAAccess", "UserDN", "KeyArchived"],
  /** At the events of a CRL and of a start and at unknown ones, each certificate of the CA under its index too. */
  caCertificate: Object.keys(caCertificateProperties),
} as const;

/** At the events of a CRL and of a start and at unknown ones: everything about the CA. */
export const collectedCaDetails: readonly string[] = Object.keys(caProperties).filter(
  (name) => name !== "Name" && !isIn(collected.ca, name) && !isIn(collected.caOfRequest, name),
);

/** The process that a record of the kit names. */
const process = { processId: 4711, threadId: 4712 };

/** CRLState of a certificate of the CA that publishes CRLs of its own. */
const valid = 3;

/**
 * The record that the exit module makes of what a CA serves in one call of Notify: the same properties, secrets blanked
 * in the same way. `time`: 100 ns since 1601-01-01 UTC.
 */
export function collectRecord(event: SimulatedEvent, caName: string, time: bigint): ExitRecord {
  const isUnknown = !Object.values<number>(exitEvents).includes(event.event);
  const isOfCa = event.event === exitEvents.startup || event.event === exitEvents.crlIssued;
  const isOfRequest = !isOfCa && event.event !== exitEvents.shutdown;
  return {
    event: event.event,
    context: event.context,
    time,
    ...process,
    ca: inRecordOrder([
      ["Name", textOf(caName)],
      ...caValues(event, isOfCa || isUnknown, isOfRequest),
    ]),
    request: inRecordOrder(isOfRequest ? values(event.request, collected.request) : []),
    certificate: inRecordOrder(isOfRequest ? values(event.certificate, collected.certificate) : []),
    attributes: isOfRequest ? event.attributes.map(attributeOf) : [],
    extensions: isOfRequest
      ? event.extensions.map(([oid, flags, der]) => ({ oid, flags, der }))
      : [],
    crls: event.event === exitEvents.crlIssued ? crlsOf(event) : [],
    problems: [],
  };
}

function caValues(event: SimulatedEvent, isOfCa: boolean, isOfRequest: boolean) {
  const { certificate } = event;
  return [
    ...values(certificate, collected.ca),
    ...(isOfRequest ? values(certificate, collected.caOfRequest) : []),
    ...(isOfCa ? values(certificate, collectedCaDetails) : []),
    ...(isOfCa ? indexes(event).flatMap((index) => indexedValues(event, index)) : []),
  ];
}

function indexedValues({ certificate }: SimulatedEvent, index: number) {
  return values(
    certificate,
    collected.caCertificate.map((name) => `${name}.${index}`),
  );
}

/** The certificates of the CA, by their index. */
function indexes({ certificate }: SimulatedEvent): number[] {
  const count = certificate["CertCount"];
  return Array.from({ length: count && "long" in count ? count.long : 0 }, (_, index) => index);
}

function crlsOf(event: SimulatedEvent): RecordCrl[] {
  return indexes(event).flatMap((index) => {
    const state = event.certificate[`CRLState.${index}`];
    if (state && "long" in state && state.long !== valid) return [];
    return [
      ...crlOf(event, index, "base", `RawCRL.${index}`),
      ...crlOf(event, index, "delta", `RawDeltaCRL.${index}`),
    ];
  });
}

function crlOf(
  { certificate }: SimulatedEvent,
  index: number,
  kind: RecordCrl["kind"],
  name: string,
): RecordCrl[] {
  const value = certificate[name];
  return value && "binary" in value ? [{ index, kind, der: value.binary }] : [];
}

/** A group of a record: shorter names first, as the encoding of the exit module sorts them. */
function inRecordOrder(group: readonly [string, RecordValue][]): ReadonlyMap<string, RecordValue> {
  return new Map(group.toSorted(([a], [b]) => a.length - b.length || (a < b ? -1 : Number(a > b))));
}

function values(
  served: Readonly<Record<string, SimulatedValue>>,
  names: readonly string[],
): [string, RecordValue][] {
  return names.flatMap((name): [string, RecordValue][] => {
    const value = served[name];
    const recorded = value && recordedOf(name, value);
    return recorded === undefined ? [] : [[name, recorded]];
  });
}

function recordedOf(name: string, value: SimulatedValue): RecordValue | undefined {
  if ("long" in value) return value.long;
  if ("binary" in value) return value.binary;
  if ("string" in value) {
    return textOf(name === "RequestAttributes" ? withoutSecrets(value.string) : value.string);
  }
  return "date" in value ? oleDate(value.date) : undefined;
}

function oleDate(days: number): RecordValue {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(days);
  return { oleDate: bytes };
}

/** Text as it is recorded: the bytes, if it is not valid UTF-16. */
function textOf(text: string): RecordText {
  return /\p{Surrogate}/u.test(text) ? { utf16: Buffer.from(text, "utf16le") } : text;
}

function attributeOf([name, value]: readonly [string, string]): [RecordText, AttributeValue] {
  return [textOf(name), isSecretName(name) ? { redacted: true } : textOf(value)];
}

/** The lines of attributes, with what follows the name of a secret blanked. */
function withoutSecrets(lines: string): string {
  return lines.replaceAll(/^([^:\r\n]*):[^\r\n]*/gm, (line, name: string) =>
    isSecretName(name) ? `${name}:${redactedValue}` : line,
  );
}

function isIn(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
