import { SeededRandom } from "../../src/simulate/seeded-random.ts";
import { createEcKey } from "../../src/simulate/signing-key.ts";
import { buildRequest } from "../../src/simulate/x509-builder.ts";
import { completeStep } from "./complete-step.ts";
import type { ScenarioHeader, ScenarioStep } from "./format.ts";

/** Part of the requester's name in all steps: found wherever an event is. */
export const openText = "Offen-ÄÖ-5D1E77B0";

const spellings = [
  "Challenge",
  "challenge",
  "Expected Challenge",
  "EXPECTED-CHALLENGE",
  "chal lenge",
];
const values = spellings.map((_, index) => `Geheim-ÄÖ-${index}-7F3A9C51D2`);
const passwordInRequest = "Geheim-ÄÖ-P10-7F3A9C51D2";

/** Bytes of a certificate that an event loses first when it has to become smaller. */
const bulkyCertificateBytes = 120_000;
/** Texts that it keeps then. */
const bulkyAttributes = 100;
const bulkyAttributeLength = 900;

/** A request whose challenge password stands in the PKCS#10, in its attributes, and in their text. */
function secretStep(number: number): ScenarioStep {
  const step = completeStep(number);
  const lines = spellings.map((name, index) => `${name}:${values[index]}\r\n`).join("");
  const key = createEcKey(new SeededRandom(`secrets ${number}`), "P-256");
  const request = buildRequest(
    { subject: [["CN", "device"]], extensions: [], challengePassword: passwordInRequest },
    key,
  );
  return {
    ...step,
    request: {
      ...step.request,
      RawRequest: { binary: request.toString("base64") },
      RequesterName: { string: `CORP\\${openText}` },
      RequestAttributes: { string: `ccm:host\n${lines}\nChallengeX:kept\nnocolon\n` },
    },
    attributes: [
      ...spellings.map((name, index) => [name, { string: values[index] ?? "" }] as const),
      ["ChallengeX", { string: "kept" }],
    ],
  };
}

/** Like the others, but its event is large, and stays so without its certificate. */
function bulky(step: ScenarioStep): ScenarioStep {
  const certificate = Buffer.alloc(bulkyCertificateBytes, 0x5a).toString("base64");
  const texts = Array.from({ length: bulkyAttributes }, (_, index) => {
    return [`bulk${index}`, { string: "x".repeat(bulkyAttributeLength) }] as const;
  });
  return {
    ...step,
    certificate: { ...step.certificate, RawCertificate: { binary: certificate } },
    attributes: [...(step.attributes ?? []), ...texts],
  };
}

/** Every spelling of the secret attributes, in all places where they occur, in three events. */
export function secrets(): { header: Partial<ScenarioHeader>; steps: ScenarioStep[] } {
  const pending = 2;
  return {
    header: { secrets: [...values, passwordInRequest] },
    steps: [secretStep(0), { ...secretStep(1), event: pending }, bulky(secretStep(2))],
  };
}
