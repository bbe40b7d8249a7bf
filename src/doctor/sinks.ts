import type { CertificateFact } from "../health/facts.ts";
import { endingOf, type HealthReason } from "../health/health.ts";
import type { Status } from "../health/status.ts";
import type { BrokerCertificate } from "../sinks/broker-certificate.ts";
import type { SinkExamination } from "../sinks/examine-sink.ts";
import { countOf, formatBytes, formatDuration } from "../units.ts";
import { caution, type Finding, findings, problem, problemsOf, skipped } from "./finding.ts";

/** What is known of one enabled sink beside its health. */
export interface SinkLinkFacts {
  readonly name: string;
  readonly kind: string;
  /** Where its events go, for people. */
  readonly destination: string;
  /** What an opening has shown; absent if it was not opened. */
  readonly opened?: SinkExamination;
  /** Why it could not be opened. */
  readonly openError?: { readonly error: string; readonly hint: string; readonly code: string };
  /** Why it was not opened. */
  readonly notOpened?: string;
  /** The files of certificates that it uses. */
  readonly certificates: readonly CertificateFact[];
  /** What its brokers showed. */
  readonly brokerCertificates: readonly BrokerCertificate[];
  readonly shown?: Status["sinks"][number];
}

/** What the facts mean. `reasons`: those of the health. */
export function judgeSink(
  facts: SinkLinkFacts,
  reasons: readonly HealthReason[],
  nowMs: number,
): Finding[] {
  return [
    ...judgeConnection(facts, reasons),
    ...judgeDestination(facts),
    ...judgeCertificates(facts, reasons, nowMs),
    ...judgeBacklog(facts, reasons, nowMs),
    ...judgeLetters(facts, reasons, nowMs),
  ];
}

function judgeConnection(facts: SinkLinkFacts, reasons: readonly HealthReason[]): Finding[] {
  const { name, kind, destination, opened, openError, notOpened = "" } = facts;
  const check = "sink-connection";
  const problems = problemsOf(reasons, check, name);
  if (openError !== undefined) {
    const { error, hint, code } = openError;
    const docs = `reference/errors.md#${code.toLowerCase()}`;
    problems.push(problem(`${code}: ${error}`, hint, docs));
  }
  if (opened === undefined && problems.length === 0) return [skipped(check, notOpened, name)];
  const lanes = opened?.lanes ?? 0;
  const seen = `${kind}: ${destination}, ${countOf(lanes, "lane")}`;
  return findings(check, seen, problems, name);
}

function judgeDestination({ name, opened }: SinkLinkFacts): Finding[] {
  const check = "sink-destination";
  if (opened === undefined) return [skipped(check, "the sink was not opened", name)];
  const problems = opened.findings.map(({ message, hint, losesEvents }) =>
    losesEvents ? problem(message, hint) : caution(message, hint),
  );
  return findings(check, "no setting that can be seen puts events at risk", problems, name);
}

function judgeCertificates(
  facts: SinkLinkFacts,
  reasons: readonly HealthReason[],
  nowMs: number,
): Finding[] {
  const { name, certificates, brokerCertificates } = facts;
  const check = "sink-certificates";
  const problems = problemsOf(reasons, check, name);
  for (const { server, validity } of brokerCertificates) {
    if (validity === undefined) {
      const seen = `the certificate of ${server}: its dates cannot be read`;
      problems.push(caution(seen, "Give the broker a certificate with valid dates."));
      continue;
    }
    const { notBeforeMs, notAfterMs } = validity;
    const ending = endingOf({ name: `the certificate of ${server}`, notAfterMs }, nowMs);
    const hint = "Renew the certificate of the broker.";
    if (ending !== undefined) {
      problems.push((ending.hasEnded ? problem : caution)(ending.detail, hint));
    }
    if (notBeforeMs > nowMs) {
      const start = new Date(notBeforeMs).toISOString().slice(0, 16);
      const seen = `the certificate of ${server} is not valid before ${start}Z`;
      problems.push(problem(seen, "Compare the clocks of this machine and of the broker's CA."));
    }
  }
  if (problems.length > 0) return findings(check, "", problems, name);
  const ends = [
    ...certificates,
    ...brokerCertificates.flatMap(({ validity }) => validity ?? []),
  ].map(({ notAfterMs }) => notAfterMs);
  if (ends.length === 0) {
    return [skipped(check, "the sink uses none, or its broker shows none", name)];
  }
  const first = new Date(Math.min(...ends)).toISOString().slice(0, 10);
  const seen = `${countOf(ends.length, "certificate")}, the first one ends on ${first}`;
  return findings(check, seen, [], name);
}

function judgeBacklog(
  { name, shown }: SinkLinkFacts,
  reasons: readonly HealthReason[],
  nowMs: number,
): Finding[] {
  const problems = problemsOf(reasons, "sink-backlog", name);
  if (shown?.backlog === undefined && problems.length === 0) {
    return [skipped("sink-backlog", "journal or checkpoint cannot be read", name)];
  }
  const { records, bytes = 0, oldestTime } = shown?.backlog ?? {};
  const waiting = records === undefined ? "events" : `${records} records`;
  const age = formatDuration(nowMs - Date.parse(oldestTime ?? ""));
  const seen =
    oldestTime === undefined
      ? "nothing waits"
      : `${waiting}, up to ${formatBytes(bytes)} wait, the oldest for ${age}`;
  return findings("sink-backlog", seen, problems, name);
}

function judgeLetters(
  { name, shown }: SinkLinkFacts,
  reasons: readonly HealthReason[],
  nowMs: number,
): Finding[] {
  const check = "dead-letters";
  const letters = shown?.deadLetters;
  const problems = problemsOf(reasons, check, name);
  if (letters === undefined && problems.length === 0) {
    return [skipped(check, "they cannot be read", name)];
  }
  const { bytes = 0, newestTime } = letters ?? {};
  if (bytes > 0 && problems.length === 0) {
    const age =
      newestTime === undefined
        ? ""
        : `, the newest ${formatDuration(nowMs - Date.parse(newestTime))} old`;
    const hint =
      "Run certwire dead-letters list; once the cause is gone, certwire dead-letters redrive --delete.";
    problems.push(caution(`${formatBytes(bytes)}${age}`, hint, "how-to/dead-letters.md"));
  }
  return findings(check, "none", problems, name);
}
