import type { ServiceState } from "../ca/control-service.ts";
import { numbersOf } from "../ca/module-facts.ts";
import { certwireService, type ServiceSetup, serviceConfig } from "../ca/service-setup.ts";
import type { HealthReason } from "../health/health.ts";
import type { Status } from "../health/status.ts";
import {
  caution,
  type Finding,
  findings,
  type Problem,
  problem,
  problemsOf,
  skipped,
} from "./finding.ts";

/** How Windows has the service. */
export interface WindowsServiceFacts {
  /** Why Windows says nothing; absent if it does. */
  readonly error?: string;
  /** Absent if the service is not installed. */
  readonly setup?: ServiceSetup;
  readonly state?: ServiceState;
  /** What its program ended with; 0 if nothing is known. */
  readonly specificError: number;
  /** Version of its program; absent if the file has none. */
  readonly version?: string;
}

/** What is known of the service beside its health. */
export interface ServiceLinkFacts {
  /** As its lock shows it. */
  readonly lock: Omit<Status["service"], "version">;
  /** As Windows has it; absent elsewhere. */
  readonly windows?: WindowsServiceFacts;
  /** The configuration that is examined, a full path. */
  readonly configFile: string;
  readonly stateDirectory: string;
  /** Why this account could not write the state; absent if it could. */
  readonly stateError?: string;
  /** True if others may read the state directory, which holds whole events. */
  readonly isStateReadableByOthers: boolean;
}

const docs = "reference/windows-service.md";

/** What the facts mean. `reasons`: those of the health. `version`: that of this command. */
export function judgeService(
  facts: ServiceLinkFacts,
  reasons: readonly HealthReason[],
  version: string,
): Finding[] {
  return [
    ...judgeRunning(facts, reasons),
    ...judgeAccount(facts, version),
    ...judgeState(facts, reasons),
  ];
}

function judgeRunning(facts: ServiceLinkFacts, reasons: readonly HealthReason[]): Finding[] {
  const { lock, windows } = facts;
  const problems = problemsOf(reasons, "service-running");
  if (windows !== undefined) problems.push(...windowsProblems(windows, lock.state));
  const { state, pid, host, startedTime } = lock;
  if (state === "unknown" && problems.length === 0) {
    return [skipped("service-running", "its lock cannot be seen here, or is held elsewhere")];
  }
  return findings(
    "service-running",
    `process ${pid ?? "?"} on ${host ?? "?"} since ${startedTime ?? "?"}`,
    problems,
  );
}

function windowsProblems(
  { error, setup, state, specificError }: WindowsServiceFacts,
  lock: Status["service"]["state"],
): Problem[] {
  if (error !== undefined) return [caution(error, "Run this as an administrator.", docs)];
  if (setup === undefined) {
    const seen = `there is no service ${certwireService}`;
    const hint = "Run certwire-service.exe --install as an administrator.";
    return [lock === "running" ? caution(seen, hint, docs) : problem(seen, hint, docs)];
  }
  if (state === "running" && lock === "stopped") {
    const seen = "Windows says that it runs, and no process holds its state directory";
    const hint =
      "Its log says why the program does not stay up; compare the configuration that it uses.";
    return [problem(seen, hint, docs)];
  }
  if (state !== "running" && specificError !== 0) {
    const seen = `Windows: ${state ?? "unknown"}, its program ended with exit code ${specificError}`;
    return [problem(seen, "The last lines of its log say what is wrong.", docs)];
  }
  return [];
}

const serviceAccount = String.raw`nt service\certwire`;

function judgeAccount({ windows, configFile }: ServiceLinkFacts, version: string): Finding[] {
  const check = "service-account";
  if (windows === undefined) return [skipped(check, `this machine runs ${process.platform}`)];
  const { setup, error = `there is no service ${certwireService}` } = windows;
  if (setup === undefined) return [skipped(check, error)];
  const account = setup.account || "LocalSystem";
  const problems: Problem[] = [];
  if (/^(?:\.\\)?(?:localsystem|nt authority\\system)$/i.test(account)) {
    const seen = "it runs as LocalSystem, with all rights on this CA";
    const hint = `sc.exe config ${certwireService} obj= "NT SERVICE\\Certwire"`;
    problems.push(caution(seen, hint, docs));
  }
  if (setup.start > 2) {
    const seen = setup.start === 4 ? "it is disabled" : "Windows does not start it by itself";
    const hint = `sc.exe config ${certwireService} start= delayed-auto`;
    problems.push(caution(seen, hint, docs));
  }
  const read = serviceConfig(setup);
  if (read.toLowerCase() !== configFile.toLowerCase()) {
    const seen = `it reads ${read}, and this is about ${configFile}`;
    problems.push(caution(seen, "Name the service's own configuration with --config.", docs));
  }
  if (windows.version !== undefined && windows.version !== numbersOf(version)) {
    const seen = `its program is version ${windows.version}, this command ${version}`;
    const hint = "Install the service of this version, or run the command of the service's folder.";
    problems.push(caution(seen, hint, docs));
  }
  const note = account.toLowerCase() === serviceAccount ? "" : ", not the default account";
  return findings(check, `${account}${note}, starts with Windows`, problems);
}

function judgeState(facts: ServiceLinkFacts, reasons: readonly HealthReason[]): Finding[] {
  const { stateDirectory, stateError, isStateReadableByOthers } = facts;
  const problems = problemsOf(reasons, "state-directory");
  if (stateError !== undefined && problems.every(({ state }) => state !== "error")) {
    const hint =
      "Check free space and rights, and that nothing there is a link; or run this as the account of the service.";
    problems.push(
      problem(`this account cannot write it: ${stateError}`, hint, "reference/state-directory.md"),
    );
  }
  if (isStateReadableByOthers) {
    const hint = "Dead letters hold whole events: let only administrators and the service read it.";
    problems.push(caution("other accounts may read it", hint, "reference/state-directory.md"));
  }
  const seen = `${stateDirectory}: this account can write it`;
  return findings("state-directory", seen, problems);
}
