/** Cluster id of every test cluster: any 16 bytes in URL-safe base64 will do. */
export const kafkaClusterId: string = Buffer.from("certwire-testing").toString("base64url");

/** One node of a cluster, as its server.properties need it. */
export interface KafkaNode {
  /** From 1. */
  readonly id: number;
  /** `id@host:port` of every node's controller. */
  readonly voters: readonly string[];
  /** All listeners with their addresses; the brokers talk to each other on the one called PLAINTEXT. */
  readonly listeners: Readonly<Record<string, string>>;
  /** Security protocols of listeners; default PLAINTEXT. */
  readonly protocols?: Readonly<Record<string, string>>;
  /** The addresses that clients and other brokers get; the controller's is not among them. */
  readonly advertisedListeners: Readonly<Record<string, string>>;
  readonly logDirectory: string;
  /** Further properties; they override the ones made here. */
  readonly extra: Readonly<Record<string, string>>;
}

/** Text of server.properties of a node that is broker and controller. */
export function kafkaProperties(node: KafkaNode): string {
  const copies = node.voters.length;
  const inSync = Math.min(2, copies);
  const properties: Record<string, string | number | boolean> = {
    "process.roles": "broker,controller",
    "node.id": node.id,
    "controller.quorum.voters": node.voters.join(","),
    listeners: listenerList(node.listeners),
    "advertised.listeners": listenerList(node.advertisedListeners),
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": Object.keys(node.listeners)
      .map((name) => `${name}:${node.protocols?.[name] ?? "PLAINTEXT"}`)
      .join(","),
    "log.dirs": node.logDirectory,
    "default.replication.factor": copies,
    "min.insync.replicas": inSync,
    "auto.create.topics.enable": false,
    "unclean.leader.election.enable": false,
    // A leader moves only when a test says so.
    "auto.leader.rebalance.enable": false,
    // A node killed hard may come back only when its session is over (9 s by default).
    "broker.session.timeout.ms": 6_000,
    "group.initial.rebalance.delay.ms": 0,
    // Fifty partitions each by default, which slow the start down and serve no test.
    "offsets.topic.num.partitions": 3,
    "offsets.topic.replication.factor": copies,
    "transaction.state.log.num.partitions": 3,
    "transaction.state.log.replication.factor": copies,
    "transaction.state.log.min.isr": inSync,
    "share.coordinator.state.topic.num.partitions": 3,
    "share.coordinator.state.topic.replication.factor": copies,
    "share.coordinator.state.topic.min.isr": inSync,
    ...node.extra,
  };
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}

function listenerList(listeners: Readonly<Record<string, string>>): string {
  return Object.entries(listeners)
    .map(([name, address]) => `${name}://${address}`)
    .join(",");
}
