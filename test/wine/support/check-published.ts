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
} from "../expected-event.ts";
import { groupBy } from "./group-by.ts";
import type { Content } from "./recorded.ts";
import { findSecrets } from "./secrets.ts";

const startup = 0x80;
const shutdown = 0x40;
const crlIssued = 0x20;

/** How many events a scenario makes, with start and stop. */
export function countEvents(scenario: Scenario): number {
  const expectation = new Expectation(scenario);
  return 2 + scenario.steps.reduce((sum, step) => sum + eventsOf(expectation.step(step)), 0);
}

function eventsOf(content: Content): number {
  return content.event === crlIssued ? Math.max(1, newestCrls(content).length) : 1;
}

/**
 * Asserts that the events a consumer read, in the order of reading, are those of the scenario: ids
 * unique, one event (or one for each new CRL) a step, in order per request, nothing changed.
 */
export function checkPublished(scenario: Scenario, texts: readonly string[]): void {
  const events = texts.map((text) => JSON.parse(text) as PublishedEvent);
  const ids = new Set(events.map(({ id }) => id));
  assert.equal(ids.size, events.length, "ids are unique");
  const found = texts.flatMap((text) => findSecrets(Buffer.from(text), scenario.header.secrets));
  assert.deepEqual(found, [], "no secret is published");
  const steps = events.filter((event) => ![startup, shutdown].includes(notifyOf(event).event));
  assert.equal(events.length, steps.length + 2, "one event each for start and stop");
  const differences = [...groupBy(scenario.steps, ({ context }) => context)].flatMap(
    ([context, own]) =>
      chainDifferences(
        scenario,
        own,
        steps.filter((event) => notifyOf(event).context === context),
      ),
  );
  assert.deepEqual(differences.slice(0, 20), [], `${differences.length} differences`);
  assert.equal(events.length, countEvents(scenario));
  checkStartAndStop(scenario, events);
}

/** The events of one request, or of the CA, against its steps. */
function chainDifferences(
  scenario: Scenario,
  steps: readonly ScenarioStep[],
  events: readonly PublishedEvent[],
): string[] {
  const expectation = new Expectation(scenario);
  const rest = [...events];
  const partitionKeys = new Set(events.map(({ partitionkey }) => partitionkey));
  // The key starts with the CA's id, which follows from its certificate.
  const certificates = new Set(steps.map(({ ca }) => JSON.stringify(ca?.["RawCACertificate"])));
  const found = partitionKeys.size > certificates.size ? ["too many partition keys"] : [];
  for (const step of steps) {
    const content = expectation.step(step);
    for (const event of rest.splice(0, eventsOf(content))) {
      found.push(...eventDifferences(content, event));
    }
  }
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
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    assert.deepEqual(findSecrets(readFileSync(path), secrets), [], path);
  }
}
