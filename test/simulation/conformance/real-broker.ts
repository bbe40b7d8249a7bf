import { type Channel, type ChannelModel, connect } from "amqplib";
import { connectAmqp } from "../../../src/amqp/connect.ts";
import type { RabbitmqCluster } from "../../integration/support/broker-provider.ts";
import { localProvider } from "../../integration/support/brokers.ts";
import { TcpProxy } from "../../integration/support/tcp-proxy.ts";
import { patienceMs, settled, until } from "../../support/until.ts";
import { RabbitMqLosses } from "./lossy-rabbitmq.ts";
import type { Settled } from "./virtual-time.ts";

/** The user of scripts, whose rights and limits are not those of the operator. */
export const user = "ca";
export const password = "conformance";

/** A cluster that the user of scripts reaches through a proxy of its first node. */
export interface GuardedRabbitMq extends RabbitmqCluster {
  readonly version: string;
  /** URL of the proxy. */
  readonly proxied: string;
  /** What the proxy loses. */
  readonly losses: RabbitMqLosses;
}

/** Starts a cluster with the user of scripts. */
export async function startGuardedRabbitMq(nodes: 1 | 3): Promise<GuardedRabbitMq> {
  // A node without a majority keeps serving: one that pauses is only a node that is down.
  const config = { cluster_partition_handling: "ignore" };
  const cluster = await localProvider.startRabbitmq({ nodes, config });
  const proxy = await TcpProxy.start(new URL(cluster.urls[0] ?? "").host);
  const losses = new RabbitMqLosses();
  proxy.intercept = losses.on;
  const stop = async (): Promise<void> => {
    await Promise.all([cluster.stop(), proxy.close()]);
  };
  try {
    await cluster.ctl(1, "add_user", user, password);
    await cluster.ctl(1, "set_permissions", "-p", "/", user, ".*", ".*", ".*");
    const program = "rabbit_misc:version().";
    const version = (await cluster.ctl(1, "eval", program)).replaceAll('"', "").trim();
    // A channel waits so long, and 5 s more, until a quorum queue knows it; by default 60 s.
    if (nodes > 1) await cluster.ctl(1, "eval", "application:set_env(kernel, net_ticktime, 1).");
    const proxied = `amqp://${user}:${password}@${proxy.address}`;
    return { ...cluster, version, proxied, losses, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Scripts that were played in this process, for the names of what they make. */
let scripts = 0;

/** A real cluster, which scripts share, as far as the subjects of all scripts use it in the same way. */
export class RealBroker {
  protected readonly cluster: GuardedRabbitMq;
  /** Of the names of all that a script makes. */
  protected readonly prefix: string;

  constructor(cluster: GuardedRabbitMq) {
    scripts += 1;
    this.cluster = cluster;
    this.prefix = `conformance-${scripts}`;
  }

  connect(): Promise<ChannelModel> {
    return connectAmqp(this.cluster.proxied, { name: "conformance", timeoutMs: patienceMs });
  }

  async settle<T>(start: () => Promise<T>): Promise<Settled<T>> {
    return settled(start(), "the broker has answered").then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
  }

  queueName(queue: number): string {
    return `${this.prefix}-queue-${queue}`;
  }

  /** Runs a program that may run twice: on a busy machine the broker may be too slow to accept the caller. */
  protected async evaluate(program: string): Promise<string> {
    const evaluate = () => this.cluster.ctl(1, "eval", `${program}.`);
    const answer = await until(evaluate, "the broker runs a program", {
      mayThrow: true,
      everyMs: 100,
    });
    return answer.trim();
  }

  /** Does something as the operator, over a channel to a node. */
  protected async onNode<T>(node: number, act: (channel: Channel) => Promise<T>): Promise<T> {
    const connection = await connect(this.cluster.urls[node - 1] ?? "");
    try {
      const channel = await connection.createChannel();
      // Where an answer is that a queue is down or missing, the channel ends too.
      channel.on("error", () => undefined);
      return await act(channel);
    } finally {
      await connection.close();
    }
  }
}
