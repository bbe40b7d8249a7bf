import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Scenario, ScenarioStep } from "../../scenarios/format.ts";
import { Expectation } from "../expected.ts";
import {
  eventDifferences,
  expectedKind,
  newestCrls,
  type PublishedEvent,
  type RequestForm,
} from "../expected-event.ts";
import { groupBy } from "./group-by.ts";
import { type Content, readRecorded } from "./recorded.ts";
import { SecretSearch } from "./secrets.ts";

const startup = 0x80;
const shutdown = 0x40;
const crlIssued = 0x20;
const changedType = "io.certwire.ca.changed.v1";

/** How many times the CA of a record has another certificate than the one before it, in the journal's order. */
export function countChanges(journalDirectory: string): number {
  const certificates = readRecorded(journalDirectory)
    .map(({ ca }) => ca["RawCACertificate"])
    .filter((certificate) => certificate !== undefined);
  return certificates.filter((each, at) => at > 0 && each !== certificates[at - 1]).length;
}

/** How many events a scenario makes, with start and stop, apart from those of a changed CA certificate. */
export function countEvents(scenario: Scenario): number {
  const expectation = new Expectation(scenario);
  return 2 + scenario.steps.reduce((sum, step) => sum + eventsOf(expectation.step(step)), 0);
}

function eventsOf(content: Content): number {
  return content.event === crlIssued ? Math.max(1, newestCrls(content).length) : 1;
}

/**
 * Asserts that the events a consumer read, in the order of reading, are those of the scenario: ids
 * unique, one event (or one for each new CRL) a step, in the order of each request, nothing changed.
 */
export function checkPublished(
  scenario: Scenario,
  texts: readonly string[],
  requests: RequestForm = "hashed",
): void {
  const all = texts.map((text) => JSON.parse(text) as PublishedEvent);
  const ids = new Set(all.map(({ id }) => id));
  assert.equal(ids.size, all.length, "ids are unique");
  const events = all.filter(({ type }) => type !== changedType);
  checkChanges(all);
  const search = new SecretSearch(scenario.header.secrets);
  const found = texts.flatMap((text) => search.find(Buffer.from(text)));
  assert.deepEqual(found, [], "no secret is published");
  const steps = events.filter((event) => ![startup, shutdown].includes(notifyOf(event).event));
  assert.equal(events.length, steps.length + 2, "one event each for start and stop");
  const chains = groupBy(steps, (event) => chainOfEvent(event));
  const expectation = new Expectation(scenario);
  const differences = [
    ...groupBy(scenario.steps, (step) => chainOfContent(expectation.step(step))),
  ].flatMap(([chain, own]) => chainDifferences(scenario, own, chains.get(chain) ?? [], requests));
  assert.deepEqual(differences.slice(0, 20), [], `${differences.length} differences`);
  assert.equal(events.length, countEvents(scenario));
  checkStartAndStop(scenario, events);
}

// What keeps its order is what shares a partition key: a context of one CA. The CA is known by its
// certificate, since a scenario may play more than one.

function chainOfContent({ context, ca }: Content): string {
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

/** The events of one request, or of the CA, against its steps. */
function chainDifferences(
  scenario: Scenario,
  steps: readonly ScenarioStep[],
  events: readonly PublishedEvent[],
  requests: RequestForm,
): string[] {
  const expectation = new Expectation(scenario);
  const rest = [...events];
  const partitionKeys = new Set(events.map(({ partitionkey }) => partitionkey));
  const found = partitionKeys.size === 1 ? [] : [`${partitionKeys.size} partition keys`];
  for (const step of steps) {
    const content = expectation.step(step);
    const own = rest.splice(0, eventsOf(content));
    if (own.length !== eventsOf(content)) found.push(`event ${step.event} is missing`);
    found.push(...own.flatMap((event) => eventDifferences(content, event, requests)));
  }
  if (rest.length > 0) found.push(`${rest.length} events too many`);
  const label = `${steps[0]?.chain ?? ""}, ${events.length} events`;
  return found.map((difference) => `${label}: ${difference}`);
}

function checkStartAndStop(scenario: Scenario, events: readonly PublishedEvent[]): void {
  const expectation = new Expectation(scenario);
  for (const bit of [startup, shutdown] as const) {
    const content = expectation.ofCa(bit);
    const event = events.find(({ type }) => type === `io.certwire.${expectedKind(content)}.v1`);
    assert.ok(event);
    assert.deepEqual(eventDifferences(content, event), []);
  }
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
