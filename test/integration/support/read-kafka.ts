import { runCommand } from "./run-command.ts";

/** A record as kcat shows it. */
export interface KafkaMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Time stamp in ms since 1970. */
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  /** Names and values in their order; a name may come twice. */
  readonly headers: readonly (readonly [string, string])[];
}

/**
 * Reads all records of a topic with kcat, a client that shares no code with ours. `settings` are further
 * ones of librdkafka, such as those of TLS.
 */
export async function readKafka(
  bootstrapServers: readonly string[],
  topic: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<KafkaMessage[]> {
  const brokers = bootstrapServers.join(",");
  const args = ["-C", "-q", "-b", brokers, "-t", topic, "-o", "beginning", "-e", "-J"];
  const further = Object.entries(settings).flatMap(([name, value]) => ["-X", `${name}=${value}`]);
  const output = await runCommand("kcat", [...args, ...further], { timeoutMs: 300_000 });
  return output.toString().split("\n").filter(Boolean).map(toMessage);
}

/** Writes records with kcat, one per line of `lines`, to the partition. */
export async function produceKafka(
  bootstrapServers: readonly string[],
  topic: string,
  partition: number,
  lines: readonly string[],
): Promise<void> {
  const args = ["-P", "-b", bootstrapServers.join(","), "-t", topic, "-p", String(partition)];
  await runCommand("kcat", args, { input: lines.join("\n") });
}

interface Envelope {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly ts: number;
  readonly key: string | null;
  readonly payload: string | null;
  readonly headers?: readonly string[];
}

function toMessage(line: string): KafkaMessage {
  const envelope = JSON.parse(line) as Envelope;
  const { topic, partition, offset, ts: timestamp, key, payload: value, headers = [] } = envelope;
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    pairs.push([headers[index] ?? "", headers[index + 1] ?? ""]);
  }
  return { topic, partition, offset, timestamp, key, value, headers: pairs };
}
