import { SeededRandom } from "../../src/simulate/seeded-random.ts";
import { createEcKey, createRsaKey, type SigningKey } from "../../src/simulate/signing-key.ts";
import { buildCertificate, buildCrl } from "../../src/simulate/x509-builder.ts";
import * as extensions from "../../src/simulate/x509-extensions.ts";
import type { ScenarioProperties, ScenarioStep } from "./format.ts";
import type { ScenarioWriter } from "./scenario-writer.ts";

const issuer = [["CN", "Corp Issuing CA 1"]] as const;
const crlIssued = 0x20;
/** Entries of about 40 bytes that make a CRL of 5 MiB. */
const entriesOfLargeCrl = 131_072;

interface CrlOptions {
  readonly key: SigningKey;
  readonly keyIndex: number;
  readonly certificateIndex: number;
  readonly number: number;
  readonly baseNumber?: number;
  readonly entries?: number;
}

function makeCrl(options: CrlOptions): Buffer {
  const { key, number, baseNumber, entries = 3 } = options;
  const thisUpdate = new Date(Date.UTC(2026, 2, 2) + number * 3_600_000);
  const delta = baseNumber === undefined ? [] : [extensions.deltaCrlIndicator(baseNumber)];
  return buildCrl(
    {
      issuer,
      thisUpdate,
      nextUpdate: new Date(thisUpdate.getTime() + 8 * 86_400_000),
      entries: Array.from({ length: entries }, (_, index) => ({
        serialNumber: ((0x61n << 128n) | (BigInt(index + 1) << 64n) | BigInt(number)).toString(16),
        revokedAt: thisUpdate,
        reason: 0,
      })),
      extensions: [
        extensions.authorityKeyIdentifier(key.keyIdentifier),
        extensions.caVersion(options.certificateIndex, options.keyIndex),
        extensions.crlNumber(number),
        ...delta,
      ],
    },
    key,
  );
}

function makeCaCertificate(key: SigningKey, index: number, keyIndex: number): Buffer {
  return buildCertificate(
    {
      serialNumber: `4a0${index + 1}`,
      issuer,
      subject: issuer,
      notBefore: new Date(Date.UTC(2020 + index, 0, 1)),
      notAfter: new Date(Date.UTC(2030 + index, 0, 1)),
      publicKeyInfo: key.publicKeyInfo,
      extensions: [extensions.caConstraints(0), extensions.caVersion(index, keyIndex)],
    },
    key,
  );
}

/**
 * CRLs of a CA with two keys and three certificates (the second renewed the first with the same
 * key, so it has no CRL of its own): base and delta, delta only, a republish of the same, deltas
 * switched off, and a base CRL of 5 MiB.
 */
export function crlSteps(file: ScenarioWriter): ScenarioStep[] {
  const random = new SeededRandom("crls");
  const rsa = createRsaKey(random, 2048);
  const ec = createEcKey(random, "P-384");
  const first = { key: rsa, keyIndex: 0, certificateIndex: 1 };
  const second = { key: ec, keyIndex: 1, certificateIndex: 2 };
  const ca: ScenarioProperties = {
    CertCount: { long: 3 },
    ...Object.fromEntries([3, 1, 3].map((state, index) => [`CRLState.${index}`, { long: state }])),
    ...Object.fromEntries([0, 0, 2].map((key, index) => [`CRLIndex.${index}`, { long: key }])),
    ...Object.fromEntries([3, 3, 3].map((state, index) => [`CertState.${index}`, { long: state }])),
    "CertSuffix.1": { string: "(1)" },
    "CRLSuffix.2": { string: "(2)" },
    RawCACertificate: file.binary(makeCaCertificate(ec, 2, 1)),
    "RawCACertificate.0": file.binary(makeCaCertificate(rsa, 0, 0)),
    "RawCACertificate.1": file.binary(makeCaCertificate(rsa, 1, 0)),
    "RawCACertificate.2": file.binary(makeCaCertificate(ec, 2, 1)),
  };
  const step = (crls: Record<string, Buffer>, more: ScenarioProperties = {}): ScenarioStep => ({
    event: crlIssued,
    context: 0,
    chain: "ca",
    ca: {
      ...ca,
      ...Object.fromEntries(
        Object.entries(crls).map(([name, der]) => [`Raw${name}`, file.binary(der)]),
      ),
      ...more,
    },
  });
  const bases = {
    "CRL.0": makeCrl({ ...first, number: 40 }),
    "CRL.2": makeCrl({ ...second, number: 40 }),
  };
  const deltas = (number: number): Record<string, Buffer> => ({
    "DeltaCRL.0": makeCrl({ ...first, number, baseNumber: 40 }),
    "DeltaCRL.2": makeCrl({ ...second, number, baseNumber: 40 }),
  });
  const noDelta = { hresult: "0x80070002" };
  const large = makeCrl({ ...first, number: 42, entries: entriesOfLargeCrl });
  return [
    step({ ...bases, ...deltas(40) }),
    step({ ...bases, ...deltas(41) }),
    step({ ...bases, ...deltas(41) }),
    step(bases, {
      fDeltaCRLsDisabled: { long: 1 },
      "RawDeltaCRL.0": noDelta,
      "RawDeltaCRL.2": noDelta,
    }),
    step({ ...bases, "CRL.0": large, ...deltas(42) }),
  ];
}

/** Events that no SDK names: all properties of an issued request under an unknown event bit. */
export function unknownEventSteps(issued: ScenarioStep): ScenarioStep[] {
  return [0x100, 0x400, 0x4000_0000].map((event, index) => ({
    ...issued,
    event,
    context: 900_000 + index,
    chain: `unknown ${event}`,
  }));
}
