import { resolve } from "node:path";
import type { ServiceSetup } from "../ca/service-setup.ts";
import type { ResolvedConfig } from "../config/load.ts";
import type { SinkConfiguration } from "../config/sink-entry.ts";
import { describeCause } from "../errors/describe-cause.ts";
import { packageVersion } from "../files/package-version.ts";
import { diskPlaces } from "../health/from-config.ts";
import { assessHealth, type HealthReason } from "../health/health.ts";
import { type DiskFindings, inspectDisk } from "../health/on-disk.ts";
import type { Status } from "../health/status.ts";
import { listSegments } from "../journal/segments.ts";
import { unflushedSince } from "../journal-tools/journal-end.ts";
import type { NativeSegment } from "../native/addon.ts";
import type { NativeCaDatabase } from "../native/ca-database.ts";
import type { NativeWindows } from "../native/windows-system.ts";
import type { ServerTime, SinkKind } from "../sinks/sink-kind.ts";
import { checkState } from "../state/check-state.ts";
import { stateLayout } from "../state/layout.ts";
import { judgeDatabase, judgeServiceRight, readDatabaseRight } from "./ca-database.ts";
import type { CheckName } from "./checks.ts";
import { judgeClock } from "./clock.ts";
import { readConfiguration } from "./configuration.ts";
import { rightsOf } from "./directory-rights.ts";
import { judgeEventLog, readEventLog, skipEventLog } from "./event-log.ts";
import {
  type ExitModuleFacts,
  exitModuleFacts,
  judgeExitModule,
  skipExitModule,
} from "./exit-module.ts";
import { type Finding, skipped, worstOf } from "./finding.ts";
import { type JournalLinkFacts, judgeJournal } from "./journal.ts";
import { judgeService, type ServiceLinkFacts, type WindowsServiceFacts } from "./service.ts";
import { sinkFacts } from "./sink-facts.ts";
import { judgeSink } from "./sinks.ts";
import { windowsService } from "./windows-service.ts";

/** How the chain is examined. */
export interface ExamineOptions {
  readonly configFile: string;
  /** True to connect to no broker. */
  readonly isOffline: boolean;
  /** Longest wait for each sink, in ms. */
  readonly timeoutMs: number;
  /** Registry and services of Windows; absent elsewhere. */
  readonly windows?: NativeWindows;
  /** The databases of CAs; absent elsewhere than on Windows. */
  readonly caDatabase?: NativeCaDatabase;
  /** The status as the running service knows it. Default: there is none. */
  readonly statusOf?: (config: ResolvedConfig) => Promise<Pick<Status, "reconcile">>;
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
  /** How Windows has the service; absent elsewhere, and if it is not installed. */
  readonly serviceSetup?: ServiceSetup;
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
  const service = windows && windowsService(windows);
  const reasons = disk ? assessHealth(disk.facts, nowMs, config.health).reasons : [];
  const known = { config, disk, segments, module, service, reasons, nowMs, version, options };
  const all = [
    ...judgeModule(known),
    ...(await examineJournal(known)),
    ...(await examineService(known)),
    ...configuration.findings,
    ...(await examineSinks(known, isUsable)),
    ...(await examineEventLog(windows)),
    ...(await examineDatabase(options)),
    ...(await examineServiceRight(config, options)),
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
    ...(service?.setup && { serviceSetup: service.setup }),
  };
}

/** What one link needs of the others. */
interface Known {
  readonly config: ResolvedConfig | undefined;
  readonly disk: DiskFindings | undefined;
  readonly segments: readonly NativeSegment[];
  readonly module: ExitModuleFacts | undefined;
  readonly service: WindowsServiceFacts | undefined;
  readonly reasons: readonly HealthReason[];
  readonly nowMs: number;
  readonly version: string;
  readonly options: ExamineOptions;
}

function judgeModule({ module, segments, version }: Known): Finding[] {
  if (module === undefined) return skipExitModule(`this machine runs ${process.platform}`);
  const newest = segments.at(-1);
  const epoch = segments.filter(({ epochId }) => epochId === newest?.epochId);
  const startedMs = epoch.map((segment) => segment.startedMs);
  return judgeExitModule(module, newest && Math.min(...startedMs), version);
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
  const rights = await rightsOf(directory, options.windows);
  const facts: JournalLinkFacts = {
    directory,
    ...(disk.journal && { shown: disk.journal }),
    ...(module?.journalDirectory !== undefined && { moduleDirectory: module.journalDirectory }),
    ...(rights && { rights }),
    ...(journal && {
      limits: { service: journal.minFreeBytes, module: journal.writerMinFreeBytes },
    }),
    ...(unflushedMs !== undefined && { unflushedMs: nowMs - unflushedMs }),
  };
  return judgeJournal(facts, reasons, nowMs);
}

async function examineService(known: Known): Promise<Finding[]> {
  const { config, disk, service, reasons, version, options } = known;
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
    configFile: resolve(options.configFile),
    ...(service && { windows: service }),
    stateDirectory: directory,
    ...(stateError !== undefined && { stateError }),
    isStateReadableByOthers: windows?.isReadableByOthers(directory) ?? false,
  };
  return judgeService(facts, reasons, version);
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
  const { timeoutMs } = options;
  const [each, servers] = await Promise.all([
    Promise.all(enabled.map((sink) => sinkFacts(sink, { disk, notOpened: why, timeoutMs }))),
    Promise.all((why === undefined ? enabled : []).map((sink) => timeOf(sink, timeoutMs))),
  ]);
  const hasRecord = disk.last !== undefined;
  return [
    ...each.flatMap((facts) => judgeSink(facts, reasons, nowMs)),
    ...judgeClock({ servers: servers.flatMap((time) => time ?? []), hasRecord }, reasons),
  ];
}

/** The time of a server that a sink needs; `undefined` if none says it. */
function timeOf(sink: SinkConfiguration, timeoutMs: number): Promise<ServerTime | undefined> {
  return sink.serverTime(timeoutMs).catch(() => undefined);
}

async function examineDatabase({
  windows,
  caDatabase,
  timeoutMs,
}: ExamineOptions): Promise<Finding[]> {
  if (windows === undefined || caDatabase === undefined) {
    return [skipped("ca-database", `this machine runs ${process.platform}`)];
  }
  return judgeDatabase(await readDatabaseRight(windows, caDatabase, timeoutMs));
}

async function examineServiceRight(
  config: ResolvedConfig | undefined,
  { statusOf }: ExamineOptions,
): Promise<Finding[]> {
  if (config === undefined) return skipAll(["ca-database-service"]);
  if (config.reconcile === undefined) {
    return [skipped("ca-database-service", "no schedule: the configuration has no reconcile")];
  }
  return judgeServiceRight((await statusOf?.(config))?.reconcile);
}

async function examineEventLog(windows: NativeWindows | undefined): Promise<Finding[]> {
  if (windows === undefined) return skipEventLog(`this machine runs ${process.platform}`);
  try {
    return judgeEventLog(await readEventLog());
  } catch (error) {
    return skipEventLog(error);
  }
}
