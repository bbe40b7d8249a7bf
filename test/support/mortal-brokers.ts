import type { Cluster } from "../integration/support/broker-provider.ts";
import { startKafka, startRabbitmq } from "../integration/support/brokers.ts";
import { readKafka } from "../integration/support/read-kafka.ts";
import { TcpProxy } from "../integration/support/tcp-proxy.ts";
import { drainQueue } from "./drain-queue.ts";
import { patientEntry } from "./patient-entry.ts";
import type { SinkEntry } from "./running-service.ts";

/** What a test checks of an event that arrived. */
export interface ArrivedEvent {
  readonly id: string;
  readonly partitionkey: string;
}

/** A way in which a broker can be dead for a sink that uses its proxy. */
export interface Death {
  readonly die: () => Promise<void>;
  readonly revive: () => Promise<void>;
}

/** A broker of one node that can die; a place is a topic, or an exchange with its queue. */
export interface MortalBroker {
  readonly deaths: Readonly<Record<"refused" | "stopped with SIGSTOP" | "a black hole", Death>>;
  /** Creates what the broker's user has to create; the sink creates the rest. */
  makePlace(place: string): Promise<void>;
  /** A sink that reaches the broker without the proxy. */
  sink(place: string): SinkEntry;
  /** A sink that uses the proxy, and gives up soon on a broker that is dead. */
  mortalSink(place: string, settings: object): SinkEntry;
  /** Everything that arrived, in its order, read without the proxy. */
  read(place: string): Promise<ArrivedEvent[]>;
  stop(): Promise<void>;
}

/** Starts Kafka with a proxy in front. */
export async function startMortalKafka(): Promise<MortalBroker> {
  const proxy = await TcpProxy.start();
  const kafka = await startKafka({ faults: true, proxies: [proxy] }).catch(async (error) => {
    await proxy.close();
    throw error;
  });
  const entry = (servers: readonly string[], topic: string) => {
    return { name: "kafka", url: `kafka://${servers.join()}/${topic}` };
  };
  return {
    deaths: deathsOf(kafka, proxy),
    makePlace: (topic) => kafka.createTopic(topic, { partitions: 6 }),
    sink: (topic) => patientEntry(entry(kafka.bootstrapServers, topic)),
    mortalSink(topic, settings) {
      const soon = { connectTimeoutMs: 2000, requestTimeoutMs: 2000, retryMaxMs: 500 };
      return { ...entry([proxy.address], topic), ...soon, ...settings };
    },
    async read(topic) {
      const messages = await readKafka(kafka.bootstrapServers, topic);
      return messages.map(({ value }) => JSON.parse(value ?? ""));
    },
    stop: () => stop(kafka, proxy),
  };
}

/** Starts RabbitMQ with a proxy in front. */
export async function startMortalRabbitmq(): Promise<MortalBroker> {
  const rabbitmq = await startRabbitmq({ faults: true });
  const [url = ""] = rabbitmq.urls;
  const { host } = new URL(url);
  const proxy = await TcpProxy.start(host);
  const entry = (address: string, name: string) => {
    const topology = { quorumQueues: [{ name }] };
    return { name: "rabbitmq", url: `amqp://guest@${address}/?exchange=${name}`, topology };
  };
  return {
    deaths: deathsOf(rabbitmq, proxy),
    makePlace: async () => undefined,
    sink: (name) => patientEntry(entry(host, name)),
    mortalSink(name, settings) {
      const soon = { connectTimeoutMs: 2000, confirmTimeoutMs: 2000, retryMaxMs: 500 };
      return { ...entry(proxy.address, name), ...soon, ...settings };
    },
    async read(name) {
      return (await drainQueue(url, name)).map((body) => JSON.parse(body));
    },
    stop: () => stop(rabbitmq, proxy),
  };
}

function deathsOf(cluster: Cluster, proxy: TcpProxy): MortalBroker["deaths"] {
  const revive = () => proxy.setMode("pass");
  return {
    refused: { die: () => proxy.setMode("refuse"), revive },
    "stopped with SIGSTOP": { die: () => cluster.pause(1), revive: () => cluster.resume(1) },
    "a black hole": { die: () => proxy.setMode("black-hole"), revive },
  };
}

async function stop(cluster: Cluster, proxy: TcpProxy): Promise<void> {
  await Promise.all([cluster.stop(), proxy.close()]);
}
