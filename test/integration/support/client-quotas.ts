import { askKafka, boolean, float64, int32, string } from "./kafka-request.ts";

/**
 * Sets how many bytes a user may send to each broker in a second, or takes the limit away (AlterClientQuotas, version
 * 0). Rejects if the broker refuses.
 */
export async function setProducerQuota(
  bootstrapServer: string,
  user: string,
  bytesPerSecond: number | undefined,
): Promise<void> {
  const body = [
    int32(1), // one entry
    int32(1), // of one entity
    string("user"),
    string(user),
    int32(1), // one change
    string("producer_byte_rate"),
    float64(bytesPerSecond ?? 0),
    boolean(bytesPerSecond === undefined), // whether to remove it
    boolean(false), // whether to validate only
  ];
  const answer = await askKafka(bootstrapServer, { key: 49, version: 0, body });
  // After the time of throttling and the number of entries.
  const errorCode = answer.readInt16BE(8);
  if (errorCode !== 0) throw new Error(`the broker refuses the quota with error ${errorCode}`);
}
