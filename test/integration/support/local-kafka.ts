import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { patienceMs } from "../../support/until.ts";
import type { KafkaCluster, KafkaOptions } from "./broker-provider.ts";
import { untilKafkaServes } from "./broker-ready.ts";
import type { BrokerSecurity } from "./broker-security.ts";
import { freePorts } from "./free-ports.ts";
import { kafkaArchive, kafkaJava, quickStart } from "./kafka-java.ts";
import { kafkaClusterId, kafkaProperties } from "./kafka-properties.ts";
import {
  kafkaSecurityProperties,
  listenersOf,
  type SecureKafkaListener,
  scramUser,
  secureKafkaListeners,
  tokenJavaOptions,
} from "./kafka-security.ts";
import { kafkaTopics } from "./kafka-topics.ts";
import { type LocalNode, localControl } from "./local-node.ts";
import { ManagedProcess } from "./managed-process.ts";
import { runCommand } from "./run-command.ts";
import { makeTempDirectory, removeTempDirectory } from "./temp-directory.ts";

interface KafkaNode extends LocalNode {
  readonly propertiesFile: string;
  /** `localhost:port`, as the broker's certificate says; none without `security`. */
  readonly secure: SecureAddresses;
}

type SecureAddresses = Partial<Record<SecureKafkaListener, string>>;

interface LocalKafkaOptions extends KafkaOptions {
  readonly security?: BrokerSecurity;
  /** Options of the Java machine of every node. Default those of `quickStart`. */
  readonly javaOptions?: readonly string[];
}

/** A Kafka cluster of processes of this machine. */
export interface LocalKafka extends KafkaCluster {
  /** `localhost:port` of one secured listener of every node; none without `security`. */
  secureServers(listener: SecureKafkaListener): string[];
}

/** Starts Kafka as processes of this machine on free ports of 127.0.0.1. */
export async function startLocalKafka(options: LocalKafkaOptions = {}): Promise<LocalKafka> {
  const directory = makeTempDirectory("kafka");
  const nodes = await prepareNodes(directory, options);
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.process.kill()));
    removeTempDirectory(directory);
  };
  try {
    await formatStorage(nodes, options.security ? scramUser(options.security) : []);
    for (const node of nodes) node.process.start();
    await Promise.all(nodes.map((node) => untilKafkaServes(node, nodes.length)));
  } catch (error) {
    await stop();
    throw error;
  }
  const bootstrapServers = nodes.map(({ address }) => address);
  return {
    nodes: nodes.length,
    bootstrapServers,
    secureServers: (listener) => nodes.flatMap(({ secure }) => secure[listener] ?? []),
    ...kafkaTopics(bootstrapServers),
    ...localControl(nodes, (node) => untilKafkaServes(node)),
    stop,
  };
}

/** Makes the archive of `quickStart` out of the classes that a node has loaded once it serves. */
export async function makeKafkaArchive(): Promise<void> {
  const directory = makeTempDirectory("kafka-archive");
  const made = `${kafkaArchive}.${process.pid}`;
  const javaOptions = [...quickStart(), `-XX:ArchiveClassesAtExit=${made}`];
  const nodes = await prepareNodes(directory, { javaOptions });
  try {
    await formatStorage(nodes, []);
    for (const node of nodes) {
      node.process.start();
      await untilKafkaServes(node);
      await node.process.terminate(patienceMs);
    }
    renameSync(made, kafkaArchive);
  } finally {
    await Promise.all(nodes.map((node) => node.process.kill()));
    removeTempDirectory(directory);
  }
}

async function prepareNodes(directory: string, options: LocalKafkaOptions): Promise<KafkaNode[]> {
  const ids = Array.from({ length: options.nodes ?? 1 }, (_, index) => index + 1);
  const clients = await freeAddresses(ids.length);
  const controllers = await freeAddresses(ids.length);
  const proxied = await freeAddresses(ids.length);
  const { security, javaOptions = quickStart() } = options;
  const secured = await Promise.all(security ? ids.map(() => secureAddresses(security)) : []);
  return ids.map((id) => {
    const home = join(directory, `node${id}`);
    mkdirSync(home);
    const address = clients[id - 1] ?? "";
    const controller = controllers[id - 1] ?? "";
    const behindProxy = proxied[id - 1] ?? "";
    const proxy = options.proxies?.[id - 1];
    proxy?.setTarget(behindProxy);
    const secure: SecureAddresses = secured[id - 1] ?? {};
    const propertiesFile = join(home, "server.properties");
    const properties = kafkaProperties({
      id,
      voters: controllers.map((voter, index) => `${index + 1}@${voter}`),
      listeners: {
        PLAINTEXT: address,
        CONTROLLER: controller,
        ...(proxy && { PROXIED: behindProxy }),
        ...secure,
      },
      advertisedListeners: {
        PLAINTEXT: address,
        ...(proxy && { PROXIED: proxy.address }),
        ...secure,
      },
      protocols: secureKafkaListeners,
      logDirectory: join(home, "data"),
      extra: {
        ...(security && kafkaSecurityProperties(home, security)),
        ...options.properties,
      },
    });
    writeFileSync(propertiesFile, properties);
    const process = new ManagedProcess({
      name: `Kafka node ${id}`,
      command: "java",
      args: kafkaJava("kafka.Kafka", [propertiesFile], {
        options: [...javaOptions, ...(security?.tokens ? tokenJavaOptions(home) : [])],
      }),
      logFile: join(home, "broker.log"),
    });
    const assertRunning = (): void => {
      process.assertRunning();
    };
    return { id, address, secure, propertiesFile, process, assertRunning };
  });
}

async function secureAddresses(security: BrokerSecurity): Promise<SecureAddresses> {
  const names = listenersOf(security);
  const ports = await freePorts(names.length);
  return Object.fromEntries(names.map((name, index) => [name, `localhost:${ports[index]}`]));
}

async function freeAddresses(count: number): Promise<string[]> {
  return (await freePorts(count)).map((port) => `127.0.0.1:${port}`);
}

async function formatStorage(nodes: readonly KafkaNode[], users: readonly string[]): Promise<void> {
  const format = (node: KafkaNode): Promise<Buffer> =>
    runCommand(
      "java",
      kafkaJava(
        "kafka.tools.StorageTool",
        ["format", "-t", kafkaClusterId, "-c", node.propertiesFile, ...users],
        { options: quickStart() },
      ),
    );
  await Promise.all(nodes.map(format));
}
