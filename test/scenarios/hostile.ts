import { completeStep } from "./complete-step.ts";
import type {
  ScenarioFault,
  ScenarioHeader,
  ScenarioProperties,
  ScenarioStep,
  ScenarioValue,
} from "./format.ts";
import { secrets } from "./secrets.ts";

/** Steps and what the header of their file says besides. */
export interface HostileScenario {
  readonly header?: Partial<ScenarioHeader>;
  readonly steps: readonly ScenarioStep[];
}

const accessDenied = "0x80070005";
const noSessions = "0x8009400f";

/** `count` complete steps that suffer the same faults. */
function faulty(count: number, faults: Record<string, ScenarioFault>): ScenarioStep[] {
  return Array.from({ length: count }, (_, index) => ({ ...completeStep(index), faults }));
}

/** Each property, attribute and extension fails once, alone. */
function eachFailing(): ScenarioStep[] {
  const { request = {}, certificate = {} } = completeStep(0);
  const names = [
    ...Object.keys(request).map((name) => `request.${name}`),
    ...Object.keys(certificate).map((name) => `certificate.${name}`),
    "ca.RequesterCAAccess",
    "ca.CAType",
    "attribute.ccm",
    "extension.2.5.29.37",
    "attributes",
    "extensions",
  ];
  return names.map((name, index) => ({
    ...completeStep(index),
    faults: { [name]: { hresult: index % 2 === 0 ? accessDenied : noSessions } },
  }));
}

const oddVariants = [
  "empty",
  "null",
  "bool",
  "long",
  "date",
  "longlong",
  "bstr",
  "byref",
  "array",
  "unknown",
];

/** The odd variants that are the right type after all. */
const rightTypes = new Map([
  ["long", "long"],
  ["date", "date"],
  ["string", "bstr"],
  ["binary", "bstr"],
]);

/** Every property answers with every variant it must not have, one variant in turn. */
function wrongTypes(): ScenarioStep[] {
  return oddVariants.map((variant, index) => {
    const step = completeStep(index);
    const spoil = (properties: ScenarioProperties = {}): ScenarioProperties =>
      Object.fromEntries(
        Object.entries(properties).map(([name, value]) => [name, spoiled(value, variant)]),
      );
    return { ...step, request: spoil(step.request), certificate: spoil(step.certificate) };
  });
}

function spoiled(value: ScenarioValue, variant: string): ScenarioValue {
  const [form = ""] = Object.keys(value);
  return rightTypes.get(form) === variant ? value : { variant };
}

function base64(...bytes: number[]): string {
  return Buffer.from(bytes).toString("base64");
}

function dateOf(value: number): ScenarioValue {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return { date: bytes.toString("base64") };
}

/** Blobs and numbers at their edges. */
function edges(): ScenarioStep {
  const step = completeStep(0);
  return {
    ...step,
    request: {
      ...step.request,
      RawRequest: { binary: base64(0x30) },
      RawOldCertificate: { binary: "" },
      AttestationChallenge: { binary: base64(1, 2, 3) },
      RawPrecertificate: { variant: "nullbstr" },
      RequestType: { short: -2 },
      RequestFlags: { long: -2_147_483_648 },
      StatusCode: { long: 2_147_483_647 },
      RequesterName: { string: "" },
      CallerName: { variant: "nullbstr" },
      ResolvedWhen: dateOf(Number.NaN),
      SubmittedWhen: dateOf(-0),
      RevokedWhen: dateOf(Number.POSITIVE_INFINITY),
      RevokedEffectiveWhen: dateOf(Number.MIN_VALUE),
    },
    attributes: [["empty", { string: "" }]],
    extensions: [
      ["1.2.3.1", 0, { binary: "" }],
      ["1.2.3.2", -1, { binary: base64(5) }],
    ],
  };
}

/** Base64 of `length` bytes. */
function filler(length: number): string {
  return Buffer.from(Array.from({ length }, (_, index) => (index * 31) & 0xff)).toString("base64");
}

/** Values at the limits of the CA's database columns, and a little above. */
function large(): ScenarioStep {
  const step = completeStep(1);
  return {
    ...step,
    request: {
      ...step.request,
      RawRequest: { binary: filler(65_536) },
      RawOldCertificate: { binary: filler(65_535) },
      RequestAttributes: { string: "name:value\r\n".repeat(2_730) },
      DispositionMessage: { string: "ü".repeat(4_096) },
    },
    certificate: { ...step.certificate, RawCertificate: { binary: filler(262_145) } },
    attributes: Array.from({ length: 200 }, (_, index) => [
      `name${index}`,
      { string: `${index} `.repeat(300) },
    ]),
    extensions: Array.from({ length: 100 }, (_, index) => [
      `1.3.6.1.4.1.99999.${index}`,
      0x20000,
      { binary: filler(1_000 + index) },
    ]),
  };
}

/** UTF-16LE of these code units. */
function units(...values: number[]): string {
  return Buffer.from(Uint16Array.from(values).buffer).toString("base64");
}

/** Text with zeros, with lone surrogates, and with half a code unit at its end. */
function oddTexts(): ScenarioStep {
  const step = completeStep(2);
  return {
    ...step,
    request: {
      ...step.request,
      RequesterName: { string: "CORP\\\0nul\0" },
      CallerName: { utf16: units(0x43, 0xd800, 0x44) },
      DispositionMessage: { utf16: units(0xdc00) },
      SignerPolicies: { string: "𝔘𝔫𝔦 \u{10ffff} \ufeff" },
      KeyRecoveryHashes: { utf16: base64(0x41, 0x00, 0x42) },
      RequestAttributes: { utf16: units(0x61, 0x3a, 0xdbff, 0x0d, 0x0a, 0x62, 0x3a, 0x31) },
    },
    attributes: [
      ["with\0zero", { string: "a\0b" }],
      [{ utf16: units(0x6e, 0xdfff) }, { utf16: units(0xd83d) }],
      ["ünïcödé", { string: "\u0000" }],
    ],
    extensions: [
      [{ utf16: units(0x31, 0xd801) }, 0x10000, { binary: "BQA=" }],
      ["not an OID", 0x10000, { binary: "BQA=" }],
    ],
  };
}

function crlStep(ca: ScenarioProperties): ScenarioStep {
  return { event: 0x20, context: 0, chain: "ca", ca };
}

/** What a CA might say about its CRLs when something is wrong with it. */
function oddCrls(): ScenarioStep[] {
  const crl = { binary: "MAA=" };
  return [
    crlStep({ CertCount: { long: -1 } }),
    crlStep({ CertCount: { hresult: noSessions } }),
    crlStep({ CertCount: { variant: "bool" } }),
    crlStep({ CertCount: { long: 2_000_000_000 }, "CRLState.0": { long: 3 }, "RawCRL.0": crl }),
    crlStep({
      CertCount: { long: 4 },
      "CRLState.0": { hresult: accessDenied },
      "CRLState.1": { long: 3 },
      "CRLState.2": { long: 2 },
      "CRLState.3": { variant: "null" },
      "RawCRL.0": crl,
      "RawDeltaCRL.0": { hresult: "0x80070002" },
      "RawCRL.1": { hresult: accessDenied },
      "RawDeltaCRL.1": crl,
      "RawCRL.2": crl,
      "RawCRL.3": { binary: "" },
    }),
  ];
}

/** Ten steps, of which the fifth raises an access violation in `call`. */
function crashing(call: string, count = 10, threads = 1): HostileScenario {
  const steps = Array.from({ length: count }, (_, index) => completeStep(index));
  const at = Math.floor(count / 2);
  return {
    header: { threads },
    steps: steps.map((step, index) =>
      index === at ? { ...step, faults: { [call]: { crash: true } } } : step,
    ),
  };
}

/** The hostile scenarios by name. */
export const hostileScenarios: Readonly<Record<string, () => HostileScenario>> = {
  "all-failing": () => ({ steps: [...faulty(3, { "*": { hresult: accessDenied } })] }),
  "each-failing": () => ({ steps: eachFailing() }),
  "wrong-types": () => ({ steps: wrongTypes() }),
  edges: () => ({ steps: [edges()] }),
  large: () => ({ steps: [large()] }),
  "odd-texts": () => ({ steps: [oddTexts()] }),
  secrets,
  "odd-crls": () => ({ steps: oddCrls() }),
  "endless-attributes": () => ({ steps: faulty(2, { attributes: { endless: true } }) }),
  "endless-extensions": () => ({ steps: faulty(2, { extensions: { endless: true } }) }),
  "slow-properties": () => ({ steps: faulty(3, { "*": { delayMs: 50 } }) }),
  "stuck-property": () => ({
    header: { threads: 4, boundMs: 60_000 },
    steps: [
      ...faulty(1, { "request.StatusCode": { delayMs: 10_000 } }),
      ...Array.from({ length: 30 }, (_, index) => completeStep(index + 1)),
    ],
  }),
  "context-fails": () => ({ steps: faulty(2, { SetContext: { hresult: "0x80070057" } }) }),
  "create-fails": () => ({ steps: faulty(2, { create: { hresult: "0x80080005" } }) }),
  "no-class": () => ({ header: { registerClass: false }, steps: faulty(2, {}) }),
  "no-com": () => ({
    header: { mainApartment: "sta", workerApartment: "none" },
    steps: faulty(2, {}),
  }),
  "implicit-com": () => ({ header: { workerApartment: "none" }, steps: faulty(2, {}) }),
  "crash-create": () => crashing("create"),
  "crash-context": () => crashing("SetContext"),
  "crash-property": () => crashing("request.RequesterName"),
  "crash-enumeration": () => crashing("attributes"),
  "crash-extension": () => crashing("extension.2.5.29.37"),
  "crash-threads": () => crashing("certificate.RawCertificate", 400, 16),
};
