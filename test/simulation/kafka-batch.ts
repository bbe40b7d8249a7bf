/** A record as the sink hands it to kafkajs. */
export interface SentMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly partition: number;
  /** In ms since the start of the model; by default that of the broker. */
  readonly timestamp?: string;
}

/** What records take in a batch without compression, in bytes, all with the same time. */
export function bytesOfBatch(
  messages: readonly Pick<SentMessage, "key" | "value" | "headers">[],
): number {
  return messages.reduce((sum, { key, value, headers }, index) => {
    const entries = Object.entries(headers);
    const texts = [key, value, ...entries.flat()].reduce((all, each) => {
      const bytes = Buffer.byteLength(each);
      return all + bytesOfNumber(bytes) + bytes;
    }, 0);
    // The attributes and the time take one byte each.
    const body = 2 + bytesOfNumber(index) + bytesOfNumber(entries.length) + texts;
    return sum + bytesOfNumber(body) + body;
  }, 61);
}

/** What a number that is not negative takes in Kafka's encoding, which doubles it for the sign. */
function bytesOfNumber(value: number): number {
  return Math.max(1, Math.ceil(Math.log2(2 * value + 1) / 7));
}
