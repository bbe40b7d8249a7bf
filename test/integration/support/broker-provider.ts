import type { TcpProxy } from "./tcp-proxy.ts";

/** Ways to harm the nodes of a cluster. Nodes are numbered from 1. */
export interface NodeControl {
  /**
   * Ends the node's process with SIGKILL and waits for its end. A quorum queue of RabbitMQ 3.10 that
   * was declared less than two seconds before comes back unusable.
   */
  kill9(node: number): Promise<void>;
  /** Stops the node's process with SIGSTOP: its sockets stay open, nothing answers. */
  pause(node: number): Promise<void>;
  /** Resumes a paused node. */
  resume(node: number): Promise<void>;
  /** Starts a killed node again, or stops a running one gently first; waits until it serves. */
  restart(node: number): Promise<void>;
}

/** A started cluster; `stop` throws its data away. */
export interface Cluster extends NodeControl {
  readonly nodes: number;
  stop(): Promise<void>;
}

/** A new topic. */
export interface TopicOptions {
  /** Default 1; ignored with `replicas`. */
  readonly partitions?: number;
  /** Node ids per partition, the preferred leader first; default the broker's choice on all nodes. */
  readonly replicas?: readonly (readonly number[])[];
  /** Topic settings such as `max.message.bytes`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Where a partition is. */
export interface PartitionState {
  readonly partition: number;
  readonly leader: number;
  /** Node ids, the preferred leader first. */
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

/** What a test may ask of the topics of a cluster. */
export interface KafkaTopics {
  /** Makes a topic and waits until every partition has its leader and all its replicas. */
  createTopic(topic: string, options?: TopicOptions): Promise<void>;
  /** State of a topic, asked afresh. */
  describe(topic: string): Promise<PartitionState[]>;
  /** Makes a replica the leader of a partition and waits until a fresh client sees it. */
  moveLeader(topic: string, partition: number, toNode: number): Promise<void>;
}

/** A Kafka cluster; node ids are 1, 2, 3. */
export interface KafkaCluster extends Cluster, KafkaTopics {
  /** One `host:port` per node, in the order of the node ids. */
  readonly bootstrapServers: readonly string[];
}

/** A RabbitMQ cluster. */
export interface RabbitmqCluster extends Cluster {
  /** One AMQP URL per node, user `guest`. */
  readonly urls: readonly string[];
  /** Runs `rabbitmqctl` against a node and returns its output. */
  ctl(node: number, ...args: string[]): Promise<string>;
}

/** Size of a cluster. */
export interface ClusterOptions {
  /** Default 1. */
  readonly nodes?: 1 | 3;
}

/** A Kafka cluster to start. */
export interface KafkaOptions extends ClusterOptions {
  /**
   * One proxy per node. A client that starts from the proxies' addresses sees only proxies; the
   * nodes among themselves and clients that start from `bootstrapServers` talk without them.
   */
  readonly proxies?: readonly TcpProxy[];
  /** Further lines of every node's server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** A RabbitMQ cluster to start. */
export interface RabbitmqOptions extends ClusterOptions {
  /** Further lines of every node's rabbitmq.conf. */
  readonly config?: Readonly<Record<string, string>>;
}

/** A way to get brokers for a test. */
export interface BrokerProvider {
  readonly name: string;
  startKafka(options?: KafkaOptions): Promise<KafkaCluster>;
  startRabbitmq(options?: RabbitmqOptions): Promise<RabbitmqCluster>;
}
