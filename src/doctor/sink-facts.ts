import type { SinkConfiguration } from "../config/sink-entry.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { describeError } from "../errors/describe-error.ts";
import type { DiskFindings } from "../health/on-disk.ts";
import { examineSink } from "../sinks/examine-sink.ts";
import type { SinkLinkFacts } from "./sinks.ts";

/** How a sink is examined. */
export interface SinkPlaces {
  readonly disk: DiskFindings;
  /** Why the sink is not opened; absent to open it. */
  readonly notOpened: string | undefined;
  readonly timeoutMs: number;
}

/** Opens a sink, and gathers what else is known of it. Never rejects. */
export async function sinkFacts(
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
