/** A message as it came from a broker, in the same form for all brokers. */
export interface ReceivedMessage {
  /** Where it was: `topic/partition@offset`, `queue#delivery` or `stream@offset`. */
  readonly place: string;
  /** Key of a Kafka record or routing key of an AMQP message; absent if there is none. */
  readonly key?: string;
  /** Headers with lower-case names, and the content type as `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The payload as received. */
  readonly body: Buffer;
  /** True if the broker says that it delivered the message before. Kafka never says so. */
  readonly isRedelivered: boolean;
}

/** Headers of a broker as texts; values that are neither text nor bytes are written as JSON. */
export function textHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && value !== null) texts[name.toLowerCase()] = textOf(value);
  }
  return texts;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (Buffer.isBuffer(value)) return value.toString();
  // Kafka may have a name several times; the last value counts, as in HTTP libraries that keep one.
  if (Array.isArray(value)) return textOf(value.at(-1) ?? "");
  return JSON.stringify(value) ?? "";
}
