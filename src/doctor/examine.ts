import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { serviceState } from "../ca/control-service.ts";
import { fileVersionOf, programOf, serviceSetup } from "../ca/module-facts.ts";
import { ConfigError, type Diagnostic } from "../config/config-error.ts";
import { inspectSinks } from "../config/inspect.ts";
import { loadConfig, type ResolvedConfig } from "../config/load.ts";
import type { SinkConfiguration } from "../config/sink-entry.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { describeCause } from "../errors/describe-cause.ts";
import { describeError } from "../errors/describe-error.ts";
import { packageVersion } from "../files/package-version.ts";
import { diskPlaces } from "../health/from-config.ts";
import { assessHealth, type HealthReason } from "../health/health.ts";
import { type DiskFindings, inspectDisk } from "../health/on-disk.ts";
import { unflushedSince } from "../journal-tools/journal-end.ts";
import { listSegments } from "../journal/segments.ts";
import type { NativeSegment } from "../native/addon.ts";
import type { NativeWindows } from "../native/windows-system.ts";
import { examineSink } from "../sinks/examine-sink.ts";
import type { SinkKind } from "../sinks/sink-kind.ts";
import { checkState } from "../state/check-state.ts";
import { stateLayout } from "../state/layout.ts";
import type { CheckName } from "./checks.ts";
import { judgeClock } from "./clock.ts";
import { judgeEventLog, readEventLog, skipEventLog } from "./event-log.ts";
import {
  type ExitModuleFacts,
  exitModuleFacts,
  judgeExitModule,
  skipExitModule,
} from "./exit-module.ts";
import { caution, type Finding, findings, problem, skipped, worstOf } from "./finding.ts";
import { type JournalLinkFacts, judgeJournal } from "./journal.ts";
import { certwireService, judgeService, type ServiceLinkFacts } from "./service.ts";
import { judgeSink, type SinkLinkFacts } from "./sinks.ts";

/** How the chain is examined. */
export interface ExamineOptions {
  readonly configFile: string;
  /** True to connect to no broker. */
  readonly isOffline: boolean;
  /** Longest wait for each sink, in ms. */
  readonly timeoutMs: number;
  /** Registry and services of Windows; absent elsewhere. */
  readonly windows?: NativeWindows;
  /** The kinds of sinks. Default: those of the registry. */
  readonly kinds?: readonly SinkKind[];
}

/** What was found of the whole chain, and what it was found from. */
export interface Diagnosis {
  /** The worst of the findings. */
  readonly state: "ok" | "warn" | "error";
  /** When the examination began, RFC 3339. */
  readonly time: string;
  /** Version of this command. */
  readonly version: string;
  /** In the order of an event's way. */
  readonly findings: readonly Finding[];
  /** Absent if the configuration cannot be read. */
  readonly config?: ResolvedConfig;
  readonly disk?: DiskFindings;
  readonly segments: readonly NativeSegment[];
  readonly module?: ExitModuleFacts;
}

/** Examines every link. Publishes nothing, and moves no checkpoint. Rejects only for a fault in Certwire. */
export async function examine(options: ExamineOptions): Promise<Diagnosis> {
  const { configFile, windows, kinds } = options;
  const nowMs = Date.now();
  const version = packageVersion();
  const configuration = readConfiguration(configFile, kinds);
  const { config, isUsable } = configuration;
  const disk = config && (await inspectDisk(diskPlaces(config), nowMs));
  const segments = config ? await listSegments(config.journal.directory).catch(() => []) : [];
  const module = windows && exitModuleFacts(windows);
  const reasons = disk ? assessHealth(disk.facts, nowMs, config.health).reasons : [];
  const known = { config, disk, segments, module, reasons, nowMs, version, options };
  const all = [
    ...judgeModule(known),
    ...(await examineJournal(known)),
    ...(await examineService(known)),
    ...configuration.findings,
    ...(await examineSinks(known, isUsable)),
    ...(await examineEventLog(windows)),
  ];
  return {
    state: worstOf(all),
    time: new Date(nowMs).toISOString(),
    version,
    findings: all,
    ...(config && { config }),
    ...(disk && { disk }),
    segments,
    ...(module && { module }),
  };
}

/** What one link needs of the others. */
interface Known {
  readonly config: ResolvedConfig | undefined;
  readonly disk: DiskFindings | undefined;
  readonly segments: readonly NativeSegment[];
  readonly module: ExitModuleFacts | undefined;
  readonly reasons: readonly HealthReason[];
  readonly nowMs: number;
  readonly version: string;
  readonly options: ExamineOptions;
}

interface Configuration {
  readonly config?: ResolvedConfig;
  /** False if sinks cannot be opened with it. */
  readonly isUsable: boolean;
  readonly findings: readonly Finding[];
}

/** What only the secrets of a configuration spoil leaves the directories known. */
function readConfiguration(file: string, kinds?: readonly SinkKind[]): Configuration {
  const some = kinds && { kinds };
  try {
    const { config, errors, warnings } = inspectSinks(file, { ...some });
    const problems = [
      ...errors.map((each) => ofDiagnostic(each, true)),
      ...warnings.map((each) => ofDiagnostic(each, false)),
    ];
    const enabled = config.sinks.filter(({ options }) => options.enabled).length;
    const seen = `${file}: ${enabled} ${enabled === 1 ? "sink" : "sinks"} enabled`;
    return { config, isUsable: true, findings: findings("configuration", seen, problems) };
  } catch (error) {
    if (!(error instanceof CertwireError)) throw error;
    const problems =
      error instanceof ConfigError
        ? error.diagnostics.map((each) => ofDiagnostic(each, true))
        : [problem(error.message, error.hint, "reference/configuration.md")];
    const found = findings("configuration", file, problems);
    const config = configWithoutSecrets(file, some);
    return { ...(config && { config }), isUsable: false, findings: found };
  }
}

function configWithoutSecrets(
  file: string,
  kinds: { readonly kinds: readonly SinkKind[] } | undefined,
): ResolvedConfig | undefined {
  try {
    return loadConfig(file, { ...kinds, isNeeded: () => false });
  } catch {
    return undefined;
  }
}

function ofDiagnostic({ file, line, column, path, message, hint }: Diagnostic, isError: boolean) {
  const subject = path === "" ? "" : `${path}: `;
  const seen = `${file}:${line}:${column}: ${subject}${message}`;
  const fix = hint ?? "Correct that place of the file.";
  return (isError ? problem : caution)(seen, fix, "reference/configuration.md");
}

function judgeModule({ module, disk, segments, version }: Known): Finding[] {
  if (module === undefined) return skipExitModule(`this machine runs ${process.platform}`);
  const newest = segments.at(-1);
  const epoch = segments.filter(({ epochId }) => epochId === newest?.epochId);
  const isWriterAlive = disk?.facts.journal?.isWriterAlive;
  const writer = {
    ...(epoch[0] && { epochStartedMs: Math.min(...epoch.map(({ startedMs }) => startedMs)) }),
    ...(isWriterAlive !== undefined && { isWriterAlive }),
  };
  return judgeExitModule(module, writer, version);
}

const unreadable = "the configuration cannot be read";

function skipAll(checks: readonly CheckName[]): Finding[] {
  return checks.map((check) => skipped(check, unreadable));
}

async function examineJournal(known: Known): Promise<Finding[]> {
  const { config, disk, segments, module, reasons, nowMs, options } = known;
  if (config === undefined || disk === undefined) {
    return skipAll([
      "journal-directory",
      "journal-rights",
      "journal-space",
      "journal-writer",
      "journal-appends",
      "journal-gaps",
    ]);
  }
  const { directory } = config.journal;
  const { journal } = disk.facts;
  const unflushedMs =
    journal?.isWriterAlive === true
      ? await unflushedSince(directory, segments).catch(() => undefined)
      : undefined;
  const facts: JournalLinkFacts = {
    directory,
    ...(disk.journal && { shown: disk.journal }),
    ...(module?.journalDirectory !== undefined && { moduleDirectory: module.journalDirectory }),
    ...(await rightsOf(directory, options.windows)),
    ...(journal && {
      limits: { service: journal.minFreeBytes, module: journal.writerMinFreeBytes },
    }),
    ...(unflushedMs !== undefined && { unflushedMs: nowMs - unflushedMs }),
  };
  return judgeJournal(facts, reasons, nowMs);
}

type Rights = Pick<
  JournalLinkFacts,
  "distrust" | "isReadableByOthers" | "isWritableByOthers" | "isDeletable"
>;

async function rightsOf(directory: string, windows?: NativeWindows): Promise<Rights> {
  if (windows !== undefined) {
    return {
      distrust: windows.distrustReason(directory),
      isReadableByOthers: windows.isReadableByOthers(directory),
      isWritableByOthers: false, // a reason to distrust it
      isDeletable: true, // the right is the service's own, and an administrator has it anyway
    };
  }
  const { mode } = await stat(directory).catch(() => ({ mode: 0 }));
  const isDeletable = await access(directory, constants.W_OK).then(
    () => true,
    () => false,
  );
  return {
    isReadableByOthers: false, // of a machine that is not a CA's
    isWritableByOthers: (mode & 0o002) !== 0 && (mode & 0o1000) === 0,
    isDeletable: isDeletable || mode === 0,
  };
}

async function examineService(known: Known): Promise<Finding[]> {
  const { config, disk, reasons, version, options } = known;
  if (config === undefined || disk === undefined) {
    return skipAll(["service-running", "service-account", "state-directory"]);
  }
  const { directory } = config.state;
  const enabled = config.sinks.filter((sink) => sink.options.enabled);
  const names = enabled.map((sink) => sink.options.name);
  const stateError = await checkState(stateLayout(directory), names).then(
    () => undefined,
    (error: unknown) => describeCause(error),
  );
  const { windows } = options;
  const facts: ServiceLinkFacts = {
    lock: disk.service,
    ...(windows && { windows: windowsService(windows) }),
    stateDirectory: directory,
    ...(stateError !== undefined && { stateError }),
    isStateReadableByOthers: windows?.isReadableByOthers(directory) ?? false,
  };
  return judgeService(facts, reasons, version);
}

function windowsService(windows: NativeWindows): NonNullable<ServiceLinkFacts["windows"]> {
  try {
    const setup = serviceSetup(windows, certwireService);
    const state = serviceState(windows, certwireService);
    const specificError = windows.queryService(certwireService)?.specificError ?? 0;
    const version = setup && fileVersionOf(programOf(setup.commandLine));
    return {
      ...(setup && { setup }),
      ...(state && { state }),
      specificError,
      ...(version !== undefined && { version }),
    };
  } catch (error) {
    if (!(error instanceof CertwireError)) throw error;
    return { specificError: 0 };
  }
}

async function examineSinks(known: Known, isUsable: boolean): Promise<Finding[]> {
  const { config, disk, reasons, nowMs, options } = known;
  if (config === undefined || disk === undefined) {
    return skipAll([
      "sink-connection",
      "sink-destination",
      "sink-certificates",
      "sink-backlog",
      "dead-letters",
      "clock",
    ]);
  }
  const enabled = config.sinks.filter((sink) => sink.options.enabled);
  const why = options.isOffline ? "--offline" : isUsable ? undefined : "the configuration is wrong";
  const each = await Promise.all(
    enabled.map((sink) => sinkFacts(sink, { disk, notOpened: why, timeoutMs: options.timeoutMs })),
  );
  const servers = await Promise.all(
    enabled.map(async (sink) =>
      why === undefined ? sink.serverTime(options.timeoutMs).catch(() => undefined) : undefined,
    ),
  );
  const hasRecord = disk.last !== undefined;
  return [
    ...each.flatMap((facts) => judgeSink(facts, reasons, nowMs)),
    ...judgeClock({ servers: servers.flatMap((time) => time ?? []), hasRecord }, reasons),
  ];
}

interface SinkPlaces {
  readonly disk: DiskFindings;
  /** Why the sink is not opened; absent to open it. */
  readonly notOpened: string | undefined;
  readonly timeoutMs: number;
}

async function sinkFacts(
  sink: SinkConfiguration,
  { disk, notOpened, timeoutMs }: SinkPlaces,
): Promise<SinkLinkFacts> {
  const { kind, destination } = sink;
  const { name } = sink.options;
  const shown = disk.sinks.find((each) => each.name === name);
  const facts = disk.facts.sinks.find((each) => each.name === name);
  const about = {
    name,
    kind,
    destination,
    certificates: facts?.certificates ?? [],
    ...(shown && { shown }),
  };
  if (notOpened !== undefined) return { ...about, brokerCertificates: [], notOpened };
  const certificates = sink.brokerCertificates(timeoutMs).catch(() => []);
  try {
    const opened = await examineSink(sink, timeoutMs);
    return { ...about, opened, brokerCertificates: await certificates };
  } catch (cause) {
    const { error, ...known } = describeError(cause);
    const { code, hint } =
      cause instanceof CertwireError
        ? cause
        : new CertwireError("CERTWIRE_SINK_UNREACHABLE", error);
    const openError = { error, code: known.code ?? code, hint };
    return { ...about, openError, brokerCertificates: await certificates };
  }
}

async function examineEventLog(windows: NativeWindows | undefined): Promise<Finding[]> {
  if (windows === undefined) return skipEventLog(`this machine runs ${process.platform}`);
  try {
    return judgeEventLog(await readEventLog());
  } catch (error) {
    return skipEventLog(error);
  }
}
