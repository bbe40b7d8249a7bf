// What the exit module has to record of a scenario, computed from the scenario file alone.
import { hash } from "node:crypto";
import type {
  Scenario,
  ScenarioFault,
  ScenarioName,
  ScenarioProperties,
  ScenarioStep,
  ScenarioValue,
} from "../scenarios/format.ts";
import { caIdentity, caPropertiesOfRequest } from "./documented-properties.ts";
import type { Content, Form } from "./support/recorded.ts";

const crlIssued = 0x20;
const shutdown = 0x40;
const startup = 0x80;
const requestEvents = new Set([0x1, 0x2, 0x4, 0x8, 0x10, 0x200]);
const propertyEmpty = "0x80094004";
const fileNotFound = "0x80070002";
const maxEntries = 1_024;

/** A value, an error, or neither: nothing is recorded. */
type Reading = { readonly form: Form } | { readonly error: string } | undefined;

/** Computes what the records of one scenario say. */
export class Expectation {
  readonly #scenario: Scenario;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  /** The record of a step. */
  step(step: ScenarioStep): Content {
    const errors: string[] = [];
    const blocked = this.#serverError(step);
    if (blocked !== undefined) return this.#nothing(step, [`text:server ${blocked}`]);
    const faultOf = (name: string): ScenarioFault | undefined =>
      step.faults?.[name] ?? step.faults?.["*"];
    const read = (qualified: string, value: ScenarioValue): Form | undefined => {
      const failure = faultOf(qualified)?.hresult;
      const reading = failure ? { error: failure } : this.#read(qualified, value);
      if (reading && "error" in reading && reading.error !== propertyEmpty) {
        errors.push(`text:${qualified} ${reading.error}`);
      }
      return reading && "form" in reading ? reading.form : undefined;
    };
    const group = (name: string, properties: ScenarioProperties): Record<string, Form> =>
      definedOf(
        Object.entries(properties).map(([key, value]) => [key, read(`${name}.${key}`, value)]),
      );
    const isAboutRequest = step.event !== crlIssued && step.event !== shutdown;
    const isKnown = requestEvents.has(step.event) || !isAboutRequest;
    return {
      event: step.event,
      context: step.context,
      request: isAboutRequest ? group("request", step.request ?? {}) : {},
      certificate: isAboutRequest ? group("certificate", step.certificate ?? {}) : {},
      ca: {
        Name: `text:${this.#scenario.header.caName}`,
        ...group("ca", this.#caProperties(step, isKnown)),
      },
      attributes: isAboutRequest ? this.#attributes(step, read, errors) : [],
      extensions: isAboutRequest ? this.#extensions(step, read, errors) : [],
      crls: step.event === crlIssued ? this.#crls(step, read, errors) : [],
      errors: errors.toSorted(),
    };
  }

  /** The records of start and stop of the CA. */
  ofCa(event: typeof startup | typeof shutdown): Content {
    const step = { event: event === startup ? crlIssued : shutdown, context: 0, chain: "" };
    return { ...this.step(step), event, crls: [] };
  }

  #nothing(step: ScenarioStep, errors: string[]): Content {
    return {
      event: step.event,
      context: step.context,
      request: {},
      certificate: {},
      ca: { Name: `text:${this.#scenario.header.caName}` },
      attributes: [],
      extensions: [],
      crls: [],
      errors,
    };
  }

  /** Why nothing can be read at all, if so. */
  #serverError(step: ScenarioStep): string | undefined {
    const { registerClass, mainApartment, workerApartment } = this.#scenario.header;
    if (mainApartment === "sta" && workerApartment === "none") return "0x800401f0";
    if (registerClass === false) return "0x80040154";
    return step.faults?.["create"]?.hresult ?? step.faults?.["SetContext"]?.hresult;
  }

  #allCaProperties(step: ScenarioStep): ScenarioProperties {
    return { ...this.#scenario.header.ca, ...step.ca };
  }

  #caProperties(step: ScenarioStep, isKnown: boolean): ScenarioProperties {
    const all = Object.entries(this.#allCaProperties(step));
    const isWanted = (name: string): boolean => {
      if (caIdentity.includes(name)) return true;
      if (step.event === shutdown) return false;
      if (caPropertiesOfRequest.includes(name)) return step.event !== crlIssued;
      const [plain = "", index] = name.split(".");
      if (["RawCRL", "RawDeltaCRL"].includes(plain)) return false;
      const isInRange = index === undefined || Number(index) < this.#certCount(step);
      return isInRange && (step.event === crlIssued || !isKnown);
    };
    return Object.fromEntries(all.filter(([name]) => isWanted(name)));
  }

  #certCount(step: ScenarioStep): number {
    const value = this.#allCaProperties(step)["CertCount"];
    return value !== undefined && "long" in value && step.faults?.["*"]?.hresult === undefined
      ? value.long
      : 0;
  }

  #attributes(step: ScenarioStep, read: Read, errors: string[]): string[] {
    const failure = step.faults?.["attributes"]?.hresult;
    if (failure !== undefined) errors.push(`text:attributes ${failure}`);
    if (failure !== undefined) return [];
    return (step.attributes ?? []).flatMap(([name, value]) => {
      const form = textForm(utf16Of(name));
      if (isSecret(textOf(name))) return [`${form} = redacted:`];
      const content = read(`attribute.${textOf(name)}`, value);
      return content === undefined ? [] : [`${form} = ${content}`];
    });
  }

  #extensions(step: ScenarioStep, read: Read, errors: string[]): string[] {
    const failure = step.faults?.["extensions"]?.hresult;
    if (failure !== undefined) errors.push(`text:extensions ${failure}`);
    if (failure !== undefined) return [];
    return (step.extensions ?? []).flatMap(([oid, flags, value]) => {
      const content = read(`extension.${textOf(oid)}`, value);
      return content === undefined ? [] : [`${textForm(utf16Of(oid))} long:${flags} ${content}`];
    });
  }

  /** One base and one delta CRL of each CA certificate that has CRLs of its own (state 3). */
  #crls(step: ScenarioStep, read: Read, errors: string[]): string[] {
    const ca = this.#allCaProperties(step);
    const count = this.#certCount(step);
    if (count > maxEntries) errors.push("text:ca.CertCount limit");
    const crls: string[] = [];
    for (let index = 0; index < Math.min(count, maxEntries); index += 1) {
      const state = ca[`CRLState.${index}`];
      if (state !== undefined && "long" in state && state.long !== 3) continue;
      for (const [kind, name] of ["RawCRL", "RawDeltaCRL"].entries()) {
        const value = ca[`${name}.${index}`];
        const isAbsent = value === undefined || isMissingDelta(name, value);
        const form = isAbsent ? undefined : read(`ca.${name}.${index}`, value);
        if (form !== undefined) crls.push(`long:${index} long:${kind} ${form}`);
      }
    }
    return crls;
  }

  #read(qualified: string, value: ScenarioValue): Reading {
    if ("hresult" in value) return { error: value.hresult };
    if ("long" in value) return { form: `long:${value.long}` };
    if ("short" in value) return { form: `long:${value.short}` };
    if ("date" in value) return { form: `date:${dateBytes(value.date).toString("hex")}` };
    if (qualified === "request.AttestationChallenge" && "binary" in value) {
      return { form: digestForm(Buffer.from(value.binary, "base64")) };
    }
    if ("binary" in value) {
      return { form: `binary:${Buffer.from(value.binary, "base64").toString("hex")}` };
    }
    if ("blob" in value) {
      return { form: `binary:${this.#scenario.blobs.get(value.blob)?.toString("hex")}` };
    }
    if ("variant" in value) {
      if (value.variant !== "nullbstr") return { error: "type" };
      return { form: qualified.includes(".Raw") ? "binary:" : "text:" };
    }
    const bytes = "string" in value ? utf16Of(value.string) : Buffer.from(value.utf16, "base64");
    return { form: textForm(qualified === "request.RequestAttributes" ? redacted(bytes) : bytes) };
  }
}

type Read = (qualified: string, value: ScenarioValue) => Form | undefined;

function isMissingDelta(name: string, value: ScenarioValue): boolean {
  return name === "RawDeltaCRL" && "hresult" in value && value.hresult === fileNotFound;
}

function definedOf(
  entries: readonly (readonly [string, Form | undefined])[],
): Record<string, Form> {
  return Object.fromEntries(entries.filter((entry): entry is [string, Form] => Boolean(entry[1])));
}

function dateBytes(date: number | string): Buffer {
  if (typeof date === "string") return Buffer.from(date, "base64");
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(date);
  return bytes;
}

function utf16Of(name: ScenarioName): Buffer {
  return typeof name === "string"
    ? Buffer.from(name, "utf16le")
    : Buffer.from(name.utf16, "base64");
}

function textOf(name: ScenarioName): string {
  return utf16Of(name).toString("utf16le");
}

/** Text where it is whole and valid, else its bytes. */
function textForm(bytes: Buffer): Form {
  const text = bytes.toString("utf16le");
  const isValid = bytes.length % 2 === 0 && !/\p{Surrogate}/u.test(text);
  return isValid ? `text:${text}` : `utf16:${bytes.toString("hex")}`;
}

/** What is recorded of a secret binary. */
function digestForm(bytes: Buffer): Form {
  return `digest:${bytes.length} ${hash("sha256", bytes)}`;
}

function isSecret(name: string): boolean {
  return /^(expected)?challenge$/i.test(name.replaceAll(/[ -]/g, ""));
}

/** Request attributes with the text after the colon of secret lines replaced. */
function redacted(bytes: Buffer): Buffer {
  const parts = bytes.toString("utf16le").split(/([\r\n])/);
  const lines = parts.map((line) => {
    const colon = line.indexOf(":");
    const hides = colon >= 0 && isSecret(line.slice(0, colon));
    return hides ? `${line.slice(0, colon)}:[redacted]` : line;
  });
  return Buffer.from(lines.join(""), "utf16le");
}
