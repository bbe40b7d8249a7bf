import { readFileSync } from "node:fs";

/** One value that the fake CA serves; README.md says what each form means. */
export type ScenarioValue =
  | { readonly long: number }
  | { readonly short: number }
  /** Days since 1899-12-30, or the base64 of the 8 bytes for what JSON cannot carry. */
  | { readonly date: number | string }
  | { readonly string: string }
  | { readonly utf16: string }
  | { readonly binary: string }
  | { readonly blob: string }
  | { readonly hresult: string }
  | { readonly variant: string };

/** Values by the CA's own property names. */
export type ScenarioProperties = Readonly<Record<string, ScenarioValue>>;

/** A name: text, or the base64 of UTF-16LE where it is not valid UTF-16. */
export type ScenarioName = string | { readonly utf16: string };

/** What goes wrong in one call of the exit module. */
export interface ScenarioFault {
  readonly delayMs?: number;
  readonly crash?: boolean;
  readonly endless?: boolean;
  readonly hresult?: string;
}

/** One call of Notify. */
export interface ScenarioStep {
  readonly event: number;
  readonly context: number;
  readonly chain: string;
  readonly via?: "vtable" | "dispatch";
  readonly request?: ScenarioProperties;
  readonly certificate?: ScenarioProperties;
  readonly ca?: ScenarioProperties;
  readonly attributes?: readonly (readonly [ScenarioName, ScenarioValue])[];
  readonly extensions?: readonly (readonly [ScenarioName, flags: number, ScenarioValue])[];
  readonly faults?: Readonly<Record<string, ScenarioFault>>;
}

/** The line that describes the CA and the run. */
export interface ScenarioHeader {
  readonly caName: string;
  readonly ca: ScenarioProperties;
  readonly settings?: Readonly<Record<string, number | string>>;
  readonly threads?: number;
  readonly mainApartment?: "mta" | "sta";
  readonly workerApartment?: "mta" | "sta" | "none";
  readonly registerClass?: boolean;
  readonly via?: "vtable" | "dispatch";
  readonly shutdownAfter?: number;
  readonly faults?: Readonly<Record<string, ScenarioFault>>;
  /** Texts that no sink, log or error may hold, in any encoding. */
  readonly secrets: readonly string[];
  /** Longest time that one call of the module may take, in milliseconds. */
  readonly boundMs: number;
}

/** A scenario file that was read. */
export interface Scenario {
  readonly header: ScenarioHeader;
  readonly steps: readonly ScenarioStep[];
  readonly blobs: ReadonlyMap<string, Buffer>;
}

/** Reads a scenario file. */
export function readScenario(path: string): Scenario {
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean).map(parseLine);
  const header = lines.find((line): line is ScenarioHeader => "caName" in line);
  if (header === undefined) throw new Error(`${path} has no line with caName`);
  const blobs = lines.filter((line) => "blob" in line);
  return {
    header,
    steps: lines.filter((line) => "event" in line),
    blobs: new Map(blobs.map(({ blob, base64 }) => [blob, Buffer.from(base64, "base64")])),
  };
}

interface BlobLine {
  readonly blob: string;
  readonly base64: string;
}

function parseLine(line: string): ScenarioHeader | ScenarioStep | BlobLine {
  return JSON.parse(line) as ScenarioHeader | ScenarioStep | BlobLine;
}
