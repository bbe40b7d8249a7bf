import { join } from "node:path";
import { type CaStatus, dllIsNewer, readCaStatus } from "../ca/ca-status.ts";
import { caNames, chooseCa } from "../ca/choose-ca.ts";
import { caService } from "../ca/control-service.ts";
import { fileVersionOf, moduleJournal, numbersOf } from "../ca/module-facts.ts";
import { describeError } from "../errors/describe-error.ts";
import { packageRoot } from "../native/package-root.ts";
import type { NativeWindows } from "../native/windows-system.ts";
import type { CheckName } from "./checks.ts";
import { caution, type Finding, findings, problem, skipped } from "./finding.ts";

/** What Windows and the CA know of the exit module. */
export interface ExitModuleFacts {
  /** The names of all CAs in the registry, whatever is wrong with them. */
  readonly caNames: readonly string[];
  /** The CA, its list and what is registered; absent if there is no CA, or it cannot be read. */
  readonly ca?: CaStatus;
  /** Why `ca` is absent, with what to do. */
  readonly caError?: { readonly error: string; readonly hint: string };
  /** Version in the DLL; absent if it has none. */
  readonly dllVersion?: string;
  /** Answers of WinVerifyTrust about the DLL and about a program of this version. */
  readonly signatures?: { readonly dll: number; readonly own: number };
  /** Where the module writes its journal. */
  readonly journalDirectory?: string;
  /** When the process of the CA was started, in ms since 1970. */
  readonly caStartedMs?: number;
}

/** Reads the registry and asks Windows; changes nothing. Never throws an error of Windows. */
export function exitModuleFacts(windows: NativeWindows): ExitModuleFacts {
  const names = caNames(windows);
  try {
    const ca = readCaStatus(windows);
    return {
      caNames: names,
      ca,
      ...dllFacts(windows, ca.registration.dll),
      ...runFacts(windows),
    };
  } catch (error) {
    const { error: text, hint = "" } = describeError(error);
    return { caNames: names, caError: { error: text, hint } };
  }
}

function dllFacts(windows: NativeWindows, dll: string | undefined): Partial<ExitModuleFacts> {
  if (dll === undefined) return {};
  const dllVersion = fileVersionOf(dll);
  const own = join(packageRoot(), "prebuilds", "win32-x64", "certwire.node");
  return {
    ...(dllVersion !== undefined && { dllVersion }),
    signatures: { dll: windows.verifySignature(dll), own: windows.verifySignature(own) },
  };
}

function runFacts(windows: NativeWindows): Partial<ExitModuleFacts> {
  const journalDirectory = moduleJournal(windows, chooseCa(windows));
  const { startedMs } = windows.queryService(caService) ?? {};
  return { journalDirectory, ...(typeof startedMs === "number" && { caStartedMs: startedMs }) };
}

const moduleChecks: readonly CheckName[] = [
  "module-registered",
  "module-version",
  "module-signature",
  "module-enabled",
  "module-loaded",
];

/** The findings about an exit module where there is none. */
export function skipExitModule(why: string): Finding[] {
  return moduleChecks.map((check) => skipped(check, why));
}

/**
 * What the facts mean. `epochStartedMs`: when the module began to write last, in ms since 1970, if it ever did. `version`:
 * that of this command.
 */
export function judgeExitModule(
  facts: ExitModuleFacts,
  epochStartedMs: number | undefined,
  version: string,
): Finding[] {
  const { ca, caError } = facts;
  if (ca === undefined) {
    const { error = "there is no CA", hint = "" } = caError ?? {};
    return moduleChecks.flatMap((check) =>
      check === "module-enabled"
        ? findings(check, error, [problem(error, hint, installDocs)])
        : [skipped(check, error)],
    );
  }
  const { registration } = ca;
  const dll = registration.dll ?? "no DLL";
  const registered = findings(
    "module-registered",
    `${dll}, ${registration.machine ?? "unreadable"}`,
    registration.problems.map((text) => problem(`${dll}: ${text}`, registerHint, installDocs)),
  );
  if (registration.dll === undefined) {
    const why = "no DLL is registered";
    return [
      ...registered,
      skipped("module-version", why),
      skipped("module-signature", why),
      ...judgeList(ca),
      ...judgeLoaded(facts, ca, epochStartedMs),
    ];
  }
  return [
    ...registered,
    ...judgeVersion(facts.dllVersion, version),
    ...judgeSignature(facts.signatures),
    ...judgeList(ca),
    ...judgeLoaded(facts, ca, epochStartedMs),
  ];
}

const installDocs = "how-to/install-on-a-ca.md";
const registerHint =
  "Install Certwire below %ProgramFiles%, and run regsvr32 on its certwire-exit.dll as an administrator.";
const restartHint = "Restart the CA when it suits: certwire ca enable --restart.";

function judgeVersion(dllVersion: string | undefined, version: string): Finding[] {
  const own = numbersOf(version);
  if (dllVersion === own) return findings("module-version", version);
  const seen = `the DLL is ${dllVersion ?? "without a version"}, this command ${version}`;
  const isNewer = dllVersion !== undefined && compareVersions(dllVersion, own) > 0;
  const hint = isNewer
    ? "Update the service: records that it cannot read yet wait in the journal."
    : `Register the certwire-exit.dll of ${version} with regsvr32, then restart the CA.`;
  return findings("module-version", seen, [
    isNewer ? problem(seen, hint, installDocs) : caution(seen, hint, installDocs),
  ]);
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(".").map(Number));
  const differences = (left ?? []).map((number, index) => number - (right?.[index] ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}

/** TRUST_E_NOSIGNATURE, TRUST_E_PROVIDER_UNKNOWN and TRUST_E_SUBJECT_FORM_UNKNOWN: there is no signature. */
const unsigned = new Set([0x800b0100, 0x800b0001, 0x800b0003]);
/** TRUST_E_BAD_DIGEST: the file was changed after it was signed. */
const badDigest = 0x80096010;

function judgeSignature(signatures: ExitModuleFacts["signatures"]): Finding[] {
  if (signatures === undefined) return [skipped("module-signature", "the DLL cannot be read")];
  const [dll, own] = [signatures.dll >>> 0, signatures.own >>> 0];
  const code = `0x${dll.toString(16).padStart(8, "0")}`;
  if (dll === 0) return findings("module-signature", "signed, and the signature is valid");
  if (unsigned.has(dll)) {
    if (unsigned.has(own)) {
      return findings("module-signature", "not signed, like the rest of this installation");
    }
    const seen = "not signed, although this command is";
    const hint = "Register the certwire-exit.dll of the same installation.";
    return findings("module-signature", seen, [problem(seen, hint)]);
  }
  if (dll === badDigest) {
    const seen = `the file was changed after it was signed (${code})`;
    const hint = "Find out who changed it, and install Certwire again.";
    return findings("module-signature", seen, [problem(seen, hint)]);
  }
  const seen = `Windows does not accept the signature (${code})`;
  const hint = "Let this machine trust the signer's CA, or check where the file is from.";
  return findings("module-signature", seen, [caution(seen, hint)]);
}

function judgeList(ca: CaStatus): Finding[] {
  const { isEnabled, exitModules, service } = ca;
  const problems = [];
  if (!isEnabled) {
    const seen = `Certwire.Exit is not in the list of ${ca.ca}: ${exitModules.join(", ") || "empty"}`;
    problems.push(problem(seen, "Run certwire ca enable, then restart the CA.", installDocs));
  }
  if (service !== "running") {
    const seen = `the service ${caService} is ${service ?? "not installed"}`;
    problems.push(
      problem(
        seen,
        `Start it: net start ${caService}. On a cluster bring its resource online instead, on the node that shall run it.`,
      ),
    );
  }
  const others = ca.warnings.filter(
    (warning) =>
      !ca.registration.problems.includes(warning) &&
      !warning.includes("not installed") &&
      warning !== dllIsNewer,
  );
  for (const warning of others) {
    problems.push(caution(warning, "certwire ca status shows the list.", installDocs));
  }
  const place = exitModules.findIndex((module) => module.toLowerCase() === "certwire.exit") + 1;
  return findings(
    "module-enabled",
    `${ca.ca} runs, and has it as number ${place} of ${exitModules.length}`,
    problems,
  );
}

/** The module begins an epoch when the CA starts, within seconds; the clock is the same one. */
function judgeLoaded(
  { caStartedMs }: ExitModuleFacts,
  ca: CaStatus,
  epochStartedMs: number | undefined,
): Finding[] {
  const { isEnabled, service } = ca;
  if (service !== "running") return [skipped("module-loaded", "the CA does not run")];
  if (caStartedMs === undefined) {
    return [skipped("module-loaded", "Windows does not say when the CA was started")];
  }
  const started = new Date(caStartedMs).toISOString();
  if (epochStartedMs !== undefined && epochStartedMs >= caStartedMs) {
    const seen = `the CA was started ${started}, the module ${new Date(epochStartedMs).toISOString()}`;
    const isStale = ca.warnings.includes(dllIsNewer);
    return findings("module-loaded", seen, isStale ? [caution(dllIsNewer, restartHint)] : []);
  }
  const seen = `the CA was started ${started}, and the module has written nothing since`;
  const hint = isEnabled
    ? `${restartHint} If that was done, the event log says why it is not loaded.`
    : "Run certwire ca enable --restart.";
  return findings("module-loaded", seen, [problem(seen, hint, "reference/event-log.md")]);
}
