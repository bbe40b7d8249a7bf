import { certificateProperties } from "../../src/events/properties.ts";
import type { SimulatedEvent, SimulatedValue } from "../../src/native/addon.ts";
import { oleDateOf } from "./exit-records.ts";

/** A simulated event as the exit module records one about a request. */
export function recordOf({
  event,
  context,
  request,
  certificate,
  attributes,
  extensions,
}: SimulatedEvent) {
  const group = (values: Readonly<Record<string, SimulatedValue>>) =>
    new Map(Object.entries(values).map(([name, value]) => [name, plain(value)] as const));
  const all = [...group(certificate)];
  const ofCa = new Set(["RawCACertificate", "SanitizedCAName", "MachineDNSName", "CAType"]);
  const ofRow = new Set(["RawCertificate", ...Object.keys(certificateProperties)]);
  return {
    event,
    context,
    request: group(request),
    certificate: new Map(all.filter(([name]) => ofRow.has(name))),
    ca: new Map([["Name", "Corp Issuing CA 1"], ...all.filter(([name]) => ofCa.has(name))]),
    attributes,
    extensions,
  };
}

function plain(value: SimulatedValue): unknown {
  if ("date" in value) return oleDateOf(value.date);
  return Object.values(value)[0];
}
