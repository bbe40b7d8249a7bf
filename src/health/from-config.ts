import type { ResolvedConfig } from "../config/load.ts";
import type { RetentionPolicy } from "../journal/retention.ts";
import { deadLetterLimits } from "../state/dead-letter.ts";
import { mebibyte } from "../units.ts";
import type { CertificateFact } from "./facts.ts";
import type { DiskPlaces, SinkOnDisk } from "./on-disk.ts";

/** How long the segments of a configuration's journal are kept. */
export function retentionPolicy({ journal }: Pick<ResolvedConfig, "journal">): RetentionPolicy {
  const { replayWindowDays, maxMegabytes, minFreeMegabytes } = journal;
  return {
    replayWindowMs: replayWindowDays * 86_400_000,
    maxBytes: maxMegabytes * mebibyte,
    minFreeBytes: minFreeMegabytes * mebibyte,
  };
}

/** When the certificates of each enabled sink end, by its name; reads their files. */
export function certificatesOf({
  sinks,
}: Pick<ResolvedConfig, "sinks">): Map<string, readonly CertificateFact[]> {
  const enabled = sinks.filter(({ options }) => options.enabled);
  return new Map(
    enabled.map((sink) => [
      sink.options.name,
      sink.certificates().map(({ file, notAfterMs }) => ({ name: file, notAfterMs })),
    ]),
  );
}

/** Where the journal and the state of a configuration are. */
export function diskPlaces(config: ResolvedConfig): DiskPlaces {
  const certificates = certificatesOf(config);
  const enabled = config.sinks.filter(({ options }) => options.enabled);
  return {
    journalDirectory: config.journal.directory,
    stateDirectory: config.state.directory,
    policy: retentionPolicy(config),
    sinks: enabled.map(({ kind, options: { name }, limits }): SinkOnDisk => {
      const { maxBytes } = deadLetterLimits(limits);
      return {
        name,
        kind,
        maxDeadLetterBytes: maxBytes,
        certificates: certificates.get(name) ?? [],
      };
    }),
  };
}
