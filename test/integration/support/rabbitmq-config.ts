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
