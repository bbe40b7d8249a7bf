import type { RabbitmqCluster } from "./broker-provider.ts";

/**
 * RabbitMQ says that a queue exists a moment before that is on disk, in the log of Mnesia and in the DETS
 * tables of its Raft. This has the first node write it at once; a kill right after that costs no queue.
 */
export async function syncRabbitmq(rabbitmq: RabbitmqCluster): Promise<void> {
  const program = "catch mnesia:sync_log(), [ok = dets:sync(Table) || Table <- dets:all()], ok.";
  const answer = await rabbitmq.ctl(1, "eval", program);
  if (answer.trim() !== "ok") throw new Error(`RabbitMQ did not write its tables: ${answer}`);
}
