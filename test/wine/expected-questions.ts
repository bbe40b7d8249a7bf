// How often the exit module has to ask for each property, from the scenario and Microsoft's names.
import type { Scenario, ScenarioProperties, ScenarioStep } from "../scenarios/format.ts";
import {
  caIdentity,
  caProperties,
  caPropertiesOfRequest,
  certificateProperties,
  crlProperties,
  indexedCaProperties,
  requestProperties,
} from "./documented-properties.ts";

const crlIssued = 0x20;
const shutdown = 0x40;
const startup = 0x80;
const knownRequestEvents = new Set([0x1, 0x2, 0x4, 0x8, 0x10, 0x200]);
/** CA_DISP_VALID. */
const publishesCrls = 3;

/** The stand-in's count of questions, for a scenario without faults: `request.StatusCode` and the like. */
export function expectedQuestions({ header, steps }: Scenario): Record<string, number> {
  const counts: Record<string, number> = {};
  const ofCa = (event: number): ScenarioStep => ({ event, context: 0, chain: "" });
  for (const step of [ofCa(startup), ...steps, ofCa(shutdown)]) {
    for (const name of questionsOf(step.event, { ...header.ca, ...step.ca })) {
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}

function questionsOf(event: number, ca: ScenarioProperties): string[] {
  const isOfCa = [crlIssued, shutdown, startup].includes(event);
  const isDetailed = event !== shutdown && !knownRequestEvents.has(event);
  const indices = isDetailed ? [...Array(numberOf(ca, "CertCount") ?? 0).keys()] : [];
  const crlIndices = indices.filter(
    (index) => event === crlIssued && isPublisher(numberOf(ca, `CRLState.${index}`)),
  );
  const asked = [
    ...(isOfCa ? [] : [...certificateProperties, ...caPropertiesOfRequest]),
    ...(isDetailed ? caProperties : caIdentity),
    ...indexed(indexedCaProperties, indices),
    ...indexed(crlProperties, crlIndices),
  ];
  return [
    ...(isOfCa ? [] : requestProperties).map((name) => `request.${name}`),
    ...asked.map((name) => `certificate.${name}`),
  ];
}

/** What cannot be read counts as one. */
function isPublisher(state: number | undefined): boolean {
  return state === undefined || state === publishesCrls;
}

function indexed(names: readonly string[], indices: readonly number[]): string[] {
  return names.flatMap((name) => indices.map((index) => `${name}.${index}`));
}

function numberOf(properties: ScenarioProperties, name: string): number | undefined {
  const value = properties[name];
  return value && "long" in value ? value.long : undefined;
}
