import {
  getContainerRuntimeClient,
  Network,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from "testcontainers";
import type { KafkaCluster, KafkaOptions } from "./broker-provider.ts";
import { untilKafkaServes } from "./broker-ready.ts";
import { brokerContainer } from "./container-images.ts";
import { containerControl, stopAll } from "./container-node.ts";
import { freePorts } from "./free-ports.ts";
import { kafkaClusterId, kafkaProperties } from "./kafka-properties.ts";
import { kafkaTopics } from "./kafka-topics.ts";

// Ports inside a container: among the nodes, of the controllers, of clients, of clients that use proxies.
const innerPort = 9092;
const controllerPort = 9093;
const clientPort = 9094;
const proxiedPort = 9095;

interface Plan {
  readonly id: number;
  readonly nodes: number;
  readonly host: string;
  /** Ports of the host, fixed so that they stay the same over a restart. */
  readonly clientHostPort: number;
  readonly proxiedHostPort: number;
  readonly network: StartedNetwork;
  readonly options: KafkaOptions;
}

/** Starts Kafka in containers. */
export async function startContainerKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const nodes = options.nodes ?? 1;
  const { host } = (await getContainerRuntimeClient()).info.containerRuntime;
  const ports = await freePorts(2 * nodes);
  const network = await new Network().start();
  const plans = Array.from({ length: nodes }, (_, index): Plan => {
    const [clientHostPort = 0, proxiedHostPort = 0] = ports.slice(2 * index);
    return { id: index + 1, nodes, host, clientHostPort, proxiedHostPort, network, options };
  });
  const addresses = plans.map((plan) => `${host}:${plan.clientHostPort}`);
  const containers: StartedTestContainer[] = [];
  const untilServing = (id: number, leastBrokers?: number): Promise<void> =>
    untilKafkaServes({ id, address: addresses[id - 1] ?? "" }, leastBrokers);
  try {
    for (const plan of plans) containers.push(await startNode(plan));
    await Promise.all(plans.map(({ id }) => untilServing(id, nodes)));
  } catch (error) {
    await stopAll(containers, network);
    throw error;
  }
  return {
    nodes,
    bootstrapServers: addresses,
    ...kafkaTopics(addresses),
    ...containerControl(containers, untilServing),
    stop: () => stopAll(containers, network),
  };
}

async function startNode(plan: Plan): Promise<StartedTestContainer> {
  const name = nodeName(plan.id);
  const container = await brokerContainer("test-kafka");
  return container
    .withNetwork(plan.network)
    .withNetworkAliases(name)
    .withHostname(name)
    .withEnvironment({ KAFKA_CLUSTER_ID: kafkaClusterId })
    .withCopyContentToContainer([
      { content: propertiesOf(plan), target: "/opt/certwire-test/server.properties" },
    ])
    .withExposedPorts(
      { container: clientPort, host: plan.clientHostPort },
      { container: proxiedPort, host: plan.proxiedHostPort },
    )
    .withWaitStrategy(Wait.forSuccessfulCommand("true"))
    .start();
}

function propertiesOf(plan: Plan): string {
  const proxy = plan.options.proxies?.[plan.id - 1];
  proxy?.setTarget(`${plan.host}:${plan.proxiedHostPort}`);
  return kafkaProperties({
    id: plan.id,
    voters: Array.from(
      { length: plan.nodes },
      (_, index) => `${index + 1}@${nodeName(index + 1)}:${controllerPort}`,
    ),
    listeners: {
      PLAINTEXT: `0.0.0.0:${innerPort}`,
      CONTROLLER: `0.0.0.0:${controllerPort}`,
      CLIENT: `0.0.0.0:${clientPort}`,
      ...(proxy && { PROXIED: `0.0.0.0:${proxiedPort}` }),
    },
    advertisedListeners: {
      PLAINTEXT: `${nodeName(plan.id)}:${innerPort}`,
      CLIENT: `${plan.host}:${plan.clientHostPort}`,
      ...(proxy && { PROXIED: proxy.address }),
    },
    logDirectory: "/tmp/kafka-data",
    extra: plan.options.properties ?? {},
  });
}

function nodeName(id: number): string {
  return `kafka${id}`;
}
