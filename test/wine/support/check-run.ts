import assert from "node:assert/strict";
import { readScenario, type Scenario, type ScenarioStep } from "../../scenarios/format.ts";
import { until } from "../../support/until.ts";
import { Expectation } from "../expected.ts";
import { type Allowance, differences } from "./compare.ts";
import { groupBy } from "./group-by.ts";
import { type RecordedEvent, readRecorded } from "./recorded.ts";
import { SecretSearch } from "./secrets.ts";
import { type CallLine, runStandin, type StandinOptions, type StandinRun } from "./standin.ts";

/** A step, its call, and the record that the exit module made of it. */
export interface Outcome {
  readonly step: ScenarioStep;
  readonly call: CallLine;
  readonly record: RecordedEvent;
}

/** A run in terms of its scenario. */
export interface Outcomes {
  readonly scenario: Scenario;
  readonly records: readonly RecordedEvent[];
  readonly outcomes: readonly Outcome[];
  /** Every call of the run, also those that are not of a step. */
  readonly calls: readonly CallLine[];
}

const startup = 0x80;
const shutdown = 0x40;
/** Time after which a call reads no further property. */
const budgetUs = 500_000;

/** In a record that was made before the exit module knew which attributes are secrets: it holds none of them. */
const withheld = "text:request.RequestAttributes budget";

/**
 * True when each record is complete: no call used up its time, and none came before the names of secrets were read, as
 * may happen on a busy machine.
 */
function isUnhurried({ calls, journalDirectory }: StandinRun): boolean {
  if (calls.some(({ us }) => us >= budgetUs)) return false;
  return readRecorded(journalDirectory).every(({ errors }) => !errors.includes(withheld));
}

/** Plays a scenario until no record is cut short; each time with options of its own. */
export async function runUnhurried(
  scenarioPath: string,
  makeOptions: () => StandinOptions = () => ({}),
): Promise<StandinRun> {
  const play = async (): Promise<StandinRun | false> => {
    const run = await runStandin(scenarioPath, makeOptions());
    return isUnhurried(run) && run;
  };
  return until(
    play,
    "no call of the CA uses up its time, or comes before the names of secrets are known",
  );
}

/** Clocks of one machine, read in different ways. */
const clockSlack = 200_000n;

/**
 * Asserts what holds for every run: each call returned S_OK within the limit, and the journal holds start,
 * stop and exactly one record a step, those of one chain in their order, made by the calling thread
 * while the call ran. Returns steps and records in pairs.
 */
export function checkRun(scenarioPath: string, run: StandinRun): Outcomes {
  const scenario = readScenario(scenarioPath);
  checkCalls(scenario, run);
  const records = readRecorded(run.journalDirectory);
  const ofSteps = records.filter(({ event }) => event !== startup && event !== shutdown);
  assert.equal(ofSteps.length, scenario.steps.length, "one record for each step");
  assert.equal(records.length, ofSteps.length + 2, "one record each for start and stop");
  const outcomes = pairUp(scenario, run, ofSteps);
  for (const outcome of outcomes) checkOrigin(outcome, run);
  checkSecrets(scenario, outcomes);
  return { scenario, records, outcomes, calls: run.calls };
}

/**
 * Asserts that each record says what its step served. On a machine that is busy a call may use up its time, and the first
 * calls may come before the names of secrets are read; such a record, and no other, may name what is missing.
 */
export function checkContents(
  { scenario, outcomes }: Outcomes,
  allowanceOf: (step: ScenarioStep) => Allowance = () => ({}),
): void {
  const expectation = new Expectation(scenario);
  const early = earlyRecords(outcomes);
  const isHurried = ({ call, record }: Outcome): boolean =>
    call.us >= budgetUs || early.has(record);
  const hurried = outcomes.filter(
    (outcome) => isHurried(outcome) && allowanceOf(outcome.step).excuse !== "budget",
  );
  const share = `${hurried.length} of ${outcomes.length} calls used up their time or came early`;
  assert.ok(hurried.length * 2 < outcomes.length, share);
  const found = outcomes.flatMap((outcome) => {
    const { step, record } = outcome;
    const busyMachine: Allowance = isHurried(outcome) ? { excuse: "budget" } : {};
    const allowance = { ...busyMachine, ...allowanceOf(step) };
    return differences(expectation.step(step), record, allowance).map(
      (difference) => `${step.chain}, event ${step.event}: ${difference}`,
    );
  });
  assert.deepEqual(found.slice(0, 20), [], `${found.length} differences`);
}

/**
 * The records that lack their attributes, and nothing else for that reason, of calls that began before the call of any
 * record with attributes had ended: the exit module may not have known the names of secrets yet.
 */
function earlyRecords(outcomes: readonly Outcome[]): ReadonlySet<RecordedEvent> {
  const ends = outcomes.filter(({ record }) => record.attributes.length > 0);
  const known = Math.min(...ends.map(({ call }) => call.end));
  const isOfAttributes = (error: string): boolean =>
    !error.endsWith(" budget") || error === withheld || error.startsWith("text:attribute.");
  const isEarly = ({ call, record: { errors } }: Outcome): boolean =>
    call.begin < known && errors.includes(withheld) && errors.every(isOfAttributes);
  return new Set(outcomes.filter(isEarly).map(({ record }) => record));
}

/** Asserts that the first record is the start, and that a stop was recorded; both with the CA's facts. */
export function checkStartAndStop({ scenario, records, calls }: Outcomes): void {
  const expectation = new Expectation(scenario);
  const allowance = (name: CallLine["call"]): Allowance => {
    const isSlow = calls.some(({ call, us }) => call === name && us >= budgetUs);
    return isSlow ? { excuse: "budget" } : {};
  };
  const [first] = records;
  const stop = records.find(({ event }) => event === shutdown);
  assert.ok(first && stop);
  assert.deepEqual(differences(expectation.ofCa(startup), first, allowance("Initialize")), []);
  assert.deepEqual(differences(expectation.ofCa(shutdown), stop, allowance("Shutdown")), []);
}

function checkCalls(scenario: Scenario, run: StandinRun): void {
  const bad = run.calls.filter(({ hresult }) => hresult !== "0x00000000");
  assert.deepEqual(bad, [], "every call returns S_OK");
  const slow = run.calls.filter(({ us }) => us > scenario.header.boundMs * 1_000);
  assert.deepEqual(slow, [], `every call returns within ${scenario.header.boundMs} ms`);
  assert.equal(run.exitCode, 0);
  assert.deepEqual(run.end?.violations, [], "the contract of ICertServerExit is kept");
}

/** The n-th record of a chain belongs to the n-th step of that chain. */
function pairUp(scenario: Scenario, run: StandinRun, records: readonly RecordedEvent[]): Outcome[] {
  const byContext = groupBy(records, ({ context }) => context);
  const byStep = new Map(run.calls.map((call) => [call.step, call]));
  return scenario.steps.map((step, index) => {
    const record = byContext.get(step.context)?.shift();
    const call = byStep.get(index);
    assert.ok(record && call, `step ${index} (${step.chain}) was called and recorded`);
    return { step, call, record };
  });
}

function checkOrigin({ step, call, record }: Outcome, run: StandinRun): void {
  const initialized = run.calls.find((line) => line.call === "Initialize");
  assert.equal(record.event, step.event, `order of ${step.chain}`);
  assert.equal(record.threadId, call.threadId);
  assert.equal(record.processId, initialized?.pid);
  const isWithinCall =
    record.time >= BigInt(call.from) - clockSlack && record.time <= BigInt(call.to) + clockSlack;
  assert.ok(isWithinCall, `time ${record.time} is within ${call.from} and ${call.to}`);
}

/** The request as it was submitted is recorded unchanged; everything else is free of secrets. */
function checkSecrets(scenario: Scenario, outcomes: readonly Outcome[]): void {
  const search = new SecretSearch(scenario.header.secrets);
  const found = outcomes.flatMap(({ record }) => {
    const [, rawRequest = ""] = (record.request["RawRequest"] ?? "").split(":");
    return search.find(without(record.payload, Buffer.from(rawRequest, "hex")));
  });
  assert.deepEqual(found, [], "no secret is recorded");
}

function without(bytes: Buffer, part: Buffer): Buffer {
  const start = part.length === 0 ? -1 : bytes.indexOf(part);
  if (start < 0) return bytes;
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + part.length)]);
}
