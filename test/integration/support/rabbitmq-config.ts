import type { BrokerSecurity } from "./broker-security.ts";

/** Text of rabbitmq.conf of every node of a cluster whose nodes have these Erlang names. */
export function rabbitmqConfig(
  nodeNames: readonly string[],
  extra: Readonly<Record<string, string>> = {},
): string {
  const settings: Record<string, string> = {
    loopback_users: "none",
    cluster_partition_handling: "pause_minority",
    "disk_free_limit.absolute": "200MB",
    "log.console": "true",
    "log.file": "false",
    "log.console.level": "warning",
    ...(nodeNames.length > 1 && peers(nodeNames)),
    ...extra,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join("");
}

/** The nodes find each other by this list, so that nobody has to join them by hand. */
function peers(nodeNames: readonly string[]): Record<string, string> {
  const entries = nodeNames.map((name, index): [string, string] => [
    `cluster_formation.classic_config.nodes.${index + 1}`,
    name,
  ]);
  return {
    "cluster_formation.peer_discovery_backend": "classic_config",
    ...Object.fromEntries(entries),
  };
}

/** Security of nodes that may demand a client certificate, which is one setting for all listeners. */
export interface RabbitmqSecurity extends BrokerSecurity {
  readonly clientCertificate?: "required";
}

/** Settings of a node that listens with TLS on a port too. */
export function rabbitmqSecurity(port: number, security: RabbitmqSecurity): Record<string, string> {
  const { certificates, username, password, clientCertificate } = security;
  const { caFile, broker } = certificates;
  return {
    "listeners.ssl.1": `127.0.0.1:${port}`,
    "ssl_options.cacertfile": caFile,
    "ssl_options.certfile": broker.certificateFile,
    "ssl_options.keyfile": broker.keyFile,
    "ssl_options.verify": "verify_peer",
    "ssl_options.fail_if_no_peer_cert": String(clientCertificate === "required"),
    default_user: username,
    default_pass: password,
  };
}
