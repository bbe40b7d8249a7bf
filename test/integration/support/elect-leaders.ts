import { askKafka, int32, string } from "./kafka-request.ts";

/**
 * Asks a broker for the preferred election of one partition (ElectLeaders, version 0). The answer is not checked: the
 * caller waits until the metadata shows the leader.
 */
export async function electPreferredLeader(
  bootstrapServer: string,
  topic: string,
  partition: number,
): Promise<void> {
  const body = [
    int32(1), // one topic
    string(topic),
    int32(1), // one partition
    int32(partition),
    int32(5_000), // time limit in ms
  ];
  await askKafka(bootstrapServer, { key: 43, version: 0, body });
}
