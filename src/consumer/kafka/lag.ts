import type { Admin } from "kafkajs";
import type { Lag } from "../event-source.ts";

/** High watermark minus committed offset of each partition of the topics. Rejects with what kafkajs throws. */
export async function kafkaLag(
  admin: Admin,
  groupId: string,
  topics: readonly string[],
  fromBeginning: boolean,
): Promise<Lag[]> {
  const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
  const lags = committed.map(async ({ topic, partitions }) => {
    const ends = await admin.fetchTopicOffsets(topic);
    return ends.map(({ partition, high, low }): Lag => {
      const offset = partitions.find((each) => each.partition === partition)?.offset ?? "-1";
      const isCommitted = BigInt(offset) >= 0n;
      const start = fromBeginning ? low : high;
      const next = isCommitted ? maxOf(BigInt(offset), BigInt(low)) : BigInt(start);
      return { place: `${topic}/${partition}`, messages: Number(BigInt(high) - next) };
    });
  });
  const all = (await Promise.all(lags)).flat();
  return all.toSorted((a, b) => a.place.localeCompare(b.place, "en", { numeric: true }));
}

/** Retention may have deleted what is not consumed yet. */
function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
