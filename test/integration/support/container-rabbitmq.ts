import { randomBytes } from "node:crypto";
import {
  getContainerRuntimeClient,
  Network,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from "testcontainers";
import type { RabbitmqCluster, RabbitmqOptions } from "./broker-provider.ts";
import { untilRabbitmqClustered, untilRabbitmqServes } from "./broker-ready.ts";
import { brokerContainer } from "./container-images.ts";
import { containerControl, stopAll } from "./container-node.ts";
import { freePorts } from "./free-ports.ts";
import { rabbitmqConfig } from "./rabbitmq-config.ts";

interface Plan {
  readonly name: string;
  /** Erlang names of all nodes. */
  readonly peers: readonly string[];
  readonly cookie: string;
  /** Port of the host, fixed so that it stays the same over a restart. */
  readonly hostPort: number;
  readonly network: StartedNetwork;
  readonly options: RabbitmqOptions;
}

/** Starts RabbitMQ in containers. */
export async function startContainerRabbitmq(
  options: RabbitmqOptions = {},
): Promise<RabbitmqCluster> {
  const nodes = options.nodes ?? 1;
  const { host } = (await getContainerRuntimeClient()).info.containerRuntime;
  const ports = await freePorts(nodes);
  const network = await new Network().start();
  const cookie = randomBytes(16).toString("hex");
  const names = ports.map((_, index) => `rabbitmq${index + 1}`);
  const peers = names.map((name) => `rabbit@${name}`);
  const urls = ports.map((port) => `amqp://guest:guest@${host}:${port}`);
  const containers: StartedTestContainer[] = [];
  const untilServing = (id: number): Promise<void> =>
    untilRabbitmqServes({ id, address: urls[id - 1] ?? "" });
  const ctl = (id: number, ...args: string[]): Promise<string> =>
    rabbitmqctl(containers[id - 1], args);
  try {
    for (const [index, name] of names.entries()) {
      const hostPort = ports[index] ?? 0;
      containers.push(await startNode({ name, peers, cookie, hostPort, network, options }));
    }
    await Promise.all(names.map((_, index) => untilServing(index + 1)));
    await untilRabbitmqClustered(nodes, (...args) => ctl(1, ...args));
  } catch (error) {
    await stopAll(containers, network);
    throw error;
  }
  return {
    nodes,
    urls,
    ctl,
    ...containerControl(containers, untilServing),
    stop: () => stopAll(containers, network),
  };
}

async function startNode(plan: Plan): Promise<StartedTestContainer> {
  const container = await brokerContainer("test-rabbitmq");
  return container
    .withNetwork(plan.network)
    .withNetworkAliases(plan.name)
    .withHostname(plan.name)
    .withEnvironment({ ERLANG_COOKIE: plan.cookie })
    .withCopyContentToContainer([
      {
        content: rabbitmqConfig(plan.peers, plan.options.config),
        target: "/opt/certwire-test/rabbitmq.conf",
      },
    ])
    .withExposedPorts({ container: 5672, host: plan.hostPort })
    .withWaitStrategy(Wait.forSuccessfulCommand("true"))
    .start();
}

async function rabbitmqctl(
  container: StartedTestContainer | undefined,
  args: readonly string[],
): Promise<string> {
  if (container === undefined) throw new Error("there is no such node");
  // Debian keeps the program beside the server; its wrapper on the path wants to be root.
  const command = 'PATH=/usr/lib/rabbitmq/bin:$PATH; exec rabbitmqctl --quiet "$@"';
  const result = await container.exec(["sh", "-c", command, "rabbitmqctl", ...args]);
  if (result.exitCode !== 0) throw new Error(`rabbitmqctl: ${result.output.trim()}`);
  return result.stdout;
}
