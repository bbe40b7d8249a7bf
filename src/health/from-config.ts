import type { ResolvedConfig } from "../config/load.ts";
import type { RetentionPolicy } from "../journal/retention.ts";
import { deadLetterLimits } from "../state/dead-letter.ts";
import { mebibyte } from "../units.ts";
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

/** Where the journal and the state of a configuration are, and when the certificates of its sinks end; reads their files. */
export function diskPlaces(config: ResolvedConfig): DiskPlaces {
  const enabled = config.sinks.filter(({ options }) => options.enabled);
  const factOf = ({ file, notAfterMs }: { file: string; notAfterMs: number }) => ({
    name: file,
    notAfterMs,
  });
  return {
    certificates: config.http?.tls?.certificates().map(factOf) ?? [],
    journalDirectory: config.journal.directory,
    stateDirectory: config.state.directory,
    policy: retentionPolicy(config),
    sinks: enabled.map((sink): SinkOnDisk => {
      const { kind, options, limits } = sink;
      return {
        name: options.name,
        kind,
        maxDeadLetterBytes: deadLetterLimits(limits).maxBytes,
        certificates: sink.certificates().map(factOf),
      };
    }),
  };
}
