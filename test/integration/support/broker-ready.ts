import { connect } from "amqplib";
import { until } from "../../support/until.ts";
import { withAdmin } from "./kafka-topics.ts";

/** A node that is starting. */
export interface StartingNode {
  /** From 1; the node's own id for Kafka. */
  readonly id: number;
  /** `host:port` or AMQP URL. */
  readonly address: string;
  /** Throws when the node has ended; asked before every attempt. */
  readonly assertRunning?: () => void;
}

/** Waits until a Kafka node knows itself and enough brokers: its port answers too early. */
export async function untilKafkaServes(node: StartingNode, leastBrokers = 1): Promise<void> {
  await until(
    async () => {
      const { brokers } = await withAdmin([node.address], (admin) => admin.describeCluster());
      return brokers.length >= leastBrokers && brokers.some(({ nodeId }) => nodeId === node.id);
    },
    `Kafka node ${node.id} serves`,
    { mayThrow: true, everyMs: 100, ...(node.assertRunning && { giveUp: node.assertRunning }) },
  );
}

/** Waits until a RabbitMQ node takes a connection. */
export async function untilRabbitmqServes(node: StartingNode): Promise<void> {
  await until(
    async () => {
      const connection = await connect(node.address, { timeout: 5_000 });
      await connection.close();
      return true;
    },
    `RabbitMQ node ${node.id} serves`,
    { mayThrow: true, everyMs: 200, ...(node.assertRunning && { giveUp: node.assertRunning }) },
  );
}

/** Waits until one RabbitMQ cluster has enough running nodes; `ctl` runs rabbitmqctl on one of them. */
export async function untilRabbitmqClustered(
  nodes: number,
  ctl: (...args: string[]) => Promise<string>,
): Promise<void> {
  await until(
    async () => {
      const status = await ctl("--formatter", "json", "cluster_status");
      const { running_nodes: running } = JSON.parse(status) as { running_nodes: string[] };
      return running.length === nodes;
    },
    `${nodes} RabbitMQ nodes are one cluster`,
    { mayThrow: true, everyMs: 100 },
  );
}
