import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { SimulatedEvent, SimulatedValue } from "../../src/native/addon.ts";
import type { ScenarioHeader, ScenarioProperties, ScenarioStep, ScenarioValue } from "./format.ts";

/** Longer binaries become lines of their own, so that steps which serve the same one share it. */
const maxInlineBytes = 120;

/** Collects the lines of one scenario file. */
export class ScenarioWriter {
  readonly #steps: string[] = [];
  readonly #blobs = new Map<string, string>();

  /** Adds a step, whose values must stem from this writer. */
  add(step: ScenarioStep): void {
    this.#steps.push(JSON.stringify(step));
  }

  /** A binary value, stored once however often it is served. */
  binary(bytes: Buffer): ScenarioValue {
    if (bytes.length <= maxInlineBytes) return { binary: bytes.toString("base64") };
    const name = createHash("sha256").update(bytes).digest("hex").slice(0, 24);
    if (!this.#blobs.has(name)) this.#blobs.set(name, bytes.toString("base64"));
    return { blob: name };
  }

  /** Properties of the simulated CA as those of a scenario. */
  properties(simulated: Readonly<Record<string, SimulatedValue>>): ScenarioProperties {
    return Object.fromEntries(
      Object.entries(simulated).map(([name, value]) => [name, this.#value(value)]),
    );
  }

  #value(value: SimulatedValue): ScenarioValue {
    if ("binary" in value) return this.binary(value.binary);
    if ("hresult" in value) return { hresult: `0x${(value.hresult >>> 0).toString(16)}` };
    return value;
  }

  /**
   * A step of an event of the simulated CA. `caNames` are the properties that the header serves;
   * the simulated CA gives them with each event, among those of the certificate.
   */
  step(event: SimulatedEvent, caNames: ReadonlySet<string>): ScenarioStep {
    const entries = Object.entries(event.certificate).filter(([name]) => !caNames.has(name));
    const ofRequest = event.context !== 0;
    const own = this.properties(Object.fromEntries(entries));
    return {
      event: event.event,
      // A number of its own kind: certsrv's contexts are not request IDs.
      context: ofRequest ? event.context * 3 + 100_000 : 0,
      chain: ofRequest ? `request ${event.context}` : "ca",
      request: this.properties(event.request),
      certificate: ofRequest ? own : {},
      ca: ofRequest ? {} : own,
      attributes: event.attributes.map(([name, value]) => [name, { string: value }]),
      extensions: event.extensions.map(([oid, flags, der]) => [oid, flags, this.binary(der)]),
    };
  }

  /** Writes the file: the blobs, then the header and the steps that name them. */
  save(path: string, header: ScenarioHeader): void {
    const blobs = [...this.#blobs].map(([blob, base64]) => JSON.stringify({ blob, base64 }));
    const lines = [...blobs, JSON.stringify(header), ...this.#steps];
    writeFileSync(path, `${lines.join("\n")}\n`);
  }
}
