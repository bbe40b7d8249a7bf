// The exit module and the reader of the database, side by side: a CA whose two stand-ins say the same.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { decodeRecord } from "../../src/exit/decode-record.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { completeStep } from "../scenarios/complete-step.ts";
import {
  readScenario,
  type Scenario,
  type ScenarioName,
  type ScenarioProperties,
  type ScenarioStep,
  type ScenarioValue,
} from "../scenarios/format.ts";
import { ScenarioWriter } from "../scenarios/scenario-writer.ts";
import { caNamesOf, createCa, takeEvents } from "../scenarios/simulated-events.ts";
import { runUnhurried } from "./support/check-run.ts";
import {
  assertClean,
  prepareDatabase,
  readDatabase,
  type ScriptRow,
  type ScriptValue,
} from "./support/database-standin.ts";
import { readRecorded } from "./support/recorded.ts";
import { type RowJson, rowJson } from "./support/row-json.ts";

/** Properties that no column has. */
const liveOnly: ReadonlySet<string> = new Set([
  "RequesterNameFromOldCertificate",
  "RawCACertificate",
]);
const crlIssued = 0x20;
const caProperties = {
  6: "Name",
  7: "SanitizedCAName",
  10: "CAType",
  "12.0": "RawCACertificate",
  22: "MachineDNSName",
} as const;

/** Events of a simulated CA, and one with every property. */
function scenarioOf(seed: string): Scenario {
  const writer = new ScenarioWriter();
  const ca = createCa(seed);
  const names = caNamesOf(ca);
  for (const event of takeEvents(ca, 300)) {
    if (event.context !== 0 && event.event !== crlIssued) writer.add(writer.step(event, names));
  }
  writer.add(completeStep(0));
  const path = join(makeTempDirectory("same-records"), "scenario.ndjson");
  const header = { caName: ca.name, ca: writer.properties(ca.started().certificate) };
  writer.save(path, { ...header, secrets: [], boundMs: 60_000 });
  return { ...readScenario(path), path } as Scenario & { path: string };
}

/** The row that a request has after a step. */
function rowOf(step: ScenarioStep, value: (each: ScenarioValue) => ScriptValue): ScriptRow {
  const columnsOf = (properties: ScenarioProperties = {}, prefix = "") =>
    Object.entries(properties)
      .filter(([name]) => !(prefix && liveOnly.has(name)))
      .map(([name, each]) => [`${prefix}${name}`, value(each)] as const);
  return {
    id: requestIdOf(step),
    columns: Object.fromEntries([
      ...columnsOf(step.request, "Request."),
      ...columnsOf(step.certificate),
    ]),
    attributes: (step.attributes ?? []).map(([name, each]) => [name, value(each)] as const),
    extensions: (step.extensions ?? []).map(
      ([oid, flags, each]) => [nameOf(oid), flags, value(each)] as const,
    ),
  };
}

function nameOf(name: ScenarioName): string {
  assert.ok(typeof name === "string");
  return name;
}

function requestIdOf({ request = {} }: ScenarioStep): number {
  const id = request["RequestID"];
  assert.ok(id && "long" in id);
  return id.long;
}

/** What both must say of a request. */
function common({ request, certificate, attributes, extensions, ca, problems }: RowJson) {
  const without = (group: unknown) =>
    Object.fromEntries(Object.entries(Object(group)).filter(([name]) => !liveOnly.has(name)));
  const names: ReadonlySet<string> = new Set(Object.values(caProperties));
  const ofCa = Object.entries(Object(ca)).filter(([name]) => names.has(name));
  return {
    request: without(request),
    certificate,
    attributes,
    extensions,
    ca: Object.fromEntries(ofCa),
    problems,
  };
}

for (const seed of ["same records", "other records"]) {
  test(`what the exit module records of a request, the reader reads of its row: ${seed}`, async (t) => {
    if (!(await prepareDatabase(t))) return;
    const { path, header, steps, blobs } = scenarioOf(seed) as Scenario & { path: string };
    const value = (each: ScenarioValue): ScriptValue =>
      "blob" in each ? { binary: blobs.get(each.blob)?.toString("base64") } : each;
    const last = new Map(steps.map((step) => [requestIdOf(step), step]));
    const own: ScenarioProperties = { Name: { string: header.caName }, ...header.ca };
    const ca = Object.entries(caProperties).flatMap(([id, name]) => {
      const property = own[name];
      return property === undefined ? [] : [[id, value(property)] as const];
    });
    const rows = [...last.values()].map((step) => rowOf(step, value));
    const script = { rows: rows.toSorted((a, b) => a.id - b.id), ca: Object.fromEntries(ca) };
    const { result, report } = await readDatabase(script, { columns: "whole" });
    assert.equal(result.error, undefined);
    assertClean(report);
    // A call that uses up its time on a busy machine asks for less.
    const run = await runUnhurried(path);
    const contexts = new Set([...last.values()].map(({ context }) => context));
    const recorded = new Map(
      readRecorded(run.journalDirectory)
        .filter(({ context }) => contexts.has(context))
        .map(({ payload }) => {
          const record = rowJson(decodeRecord(payload));
          return [Number(Object(record["request"])["RequestID"]), record] as const;
        }),
    );
    assert.equal(recorded.size, last.size);
    let values = 0;
    for (const row of result.rows) {
      const id = Number(row["context"]);
      const record = recorded.get(id);
      assert.ok(record, `request ${id}`);
      assert.deepEqual(common(row), common(record), `request ${id}`);
      values += Object.keys(Object(row["request"])).length;
      values += Object.keys(Object(row["certificate"])).length;
    }
    assert.equal(result.rows.length, last.size);
    t.diagnostic(`${last.size} requests, ${values} values of their properties`);
  });
}
