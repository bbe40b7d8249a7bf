import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  eventDifferences,
  newestCrls,
  type PublishedEvent,
  type RequestForm,
} from "../expected-event.ts";
import { groupBy } from "./group-by.ts";
import type { RecordedEvent } from "./recorded.ts";
import { SecretSearch } from "./secrets.ts";

const crlIssued = 0x20;
const changedType = "io.certwire.ca.changed.v1";

/**
 * How many events the records of a journal make: one each, or one for each new CRL, and one for each change of the
 * CA's certificate.
 */
export function countEvents(records: readonly RecordedEvent[]): number {
  return countChanges(records) + records.reduce((sum, record) => sum + eventsOf(record), 0);
}

/** How many times the CA of a record has another certificate than the one before it, in the journal's order. */
function countChanges(records: readonly RecordedEvent[]): number {
  const certificates = records
    .map(({ ca }) => ca["RawCACertificate"])
    .filter((certificate) => certificate !== undefined);
  return certificates.filter((each, at) => at > 0 && each !== certificates[at - 1]).length;
}

function eventsOf(record: RecordedEvent): number {
  return record.event === crlIssued ? Math.max(1, newestCrls(record).length) : 1;
}

/**
 * Asserts that the events a consumer read, in the order of reading, are those of the records of the journal: ids
 * unique, one event (or one for each new CRL) a record, in the order of each request, nothing changed, no secret in
 * them. What the records have to hold is `checkContents`: on a busy machine some may lack values.
 */
export function checkPublished(
  records: readonly RecordedEvent[],
  secrets: readonly string[],
  texts: readonly string[],
  requests: RequestForm = "hashed",
): void {
  const all = texts.map((text) => JSON.parse(text) as PublishedEvent);
  const ids = new Set(all.map(({ id }) => id));
  assert.equal(ids.size, all.length, "ids are unique");
  checkChanges(all);
  const search = new SecretSearch(secrets);
  const found = texts.flatMap((text) => search.find(Buffer.from(text)));
  assert.deepEqual(found, [], "no secret is published");
  const events = all.filter(({ type }) => type !== changedType);
  const chains = groupBy(events, (event) => chainOfEvent(event));
  const differences = [...groupBy(records, (record) => chainOfRecord(record))].flatMap(
    ([chain, own]) => chainDifferences(chain, own, chains.get(chain) ?? [], requests),
  );
  assert.deepEqual(differences.slice(0, 20), [], `${differences.length} differences`);
  assert.equal(all.length, countEvents(records));
}

// What keeps its order is what shares a partition key: a context of one CA. The CA is known by its
// certificate, since a scenario may play more than one.

function chainOfRecord({ context, ca }: RecordedEvent): string {
  const [, certificate = ""] = (ca["RawCACertificate"] ?? "").split(":");
  return `${context} ${Buffer.from(certificate, "hex").toString("base64")}`;
}

function chainOfEvent(event: PublishedEvent): string {
  const { rawCaCertificate } = event.data["ca"] as { rawCaCertificate?: string };
  return `${notifyOf(event).context} ${rawCaCertificate ?? ""}`;
}

/** Each change of the CA's certificate, in the order of the journal, has an event of its own, and nothing else has. */
function checkChanges(events: readonly PublishedEvent[]): void {
  const inOrder = events.toSorted((a, b) => (a.sequence < b.sequence ? -1 : 1));
  const certificateOf = (event: PublishedEvent) =>
    (event.data["ca"] as { certificateSha256?: string } | undefined)?.certificateSha256;
  const certificates = new Map(inOrder.map((event) => [event.sequence, certificateOf(event)]));
  const known = [...certificates].filter(([, certificate]) => certificate !== undefined);
  const expected = known
    .map(([sequence, certificate], at) => ({ sequence, certificate, before: known[at - 1]?.[1] }))
    .filter(({ certificate, before }) => before !== undefined && before !== certificate);
  const changes = inOrder.filter(({ type }) => type === changedType);
  assert.deepEqual(
    changes.map((event) => ({
      sequence: event.sequence,
      certificate: certificateOf(event),
      before: (event.data["previous"] as { certificateSha256: string }).certificateSha256,
    })),
    expected,
  );
}

/** The events of one request, or of the CA, against its records. */
function chainDifferences(
  chain: string,
  records: readonly RecordedEvent[],
  events: readonly PublishedEvent[],
  requests: RequestForm,
): string[] {
  const rest = [...events];
  const partitionKeys = new Set(events.map(({ partitionkey }) => partitionkey));
  const found = partitionKeys.size === 1 ? [] : [`${partitionKeys.size} partition keys`];
  for (const record of records) {
    const own = rest.splice(0, eventsOf(record));
    if (own.length !== eventsOf(record)) found.push(`event ${record.event} is missing`);
    found.push(...own.flatMap((event) => eventDifferences(record, event, requests)));
  }
  if (rest.length > 0) found.push(`${rest.length} events too many`);
  const [context] = chain.split(" ");
  return found.map((difference) => `context ${context}, ${events.length} events: ${difference}`);
}

function notifyOf(event: PublishedEvent): { event: number; context: number } {
  return event.data["notify"] as { event: number; context: number };
}

/** Asserts that no file below `directory` (logs, dead letters, checkpoints) holds a secret. */
export function checkFiles(directory: string, secrets: readonly string[]): void {
  const search = new SecretSearch(secrets);
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    assert.deepEqual(search.find(readFileSync(path)), [], path);
  }
}
