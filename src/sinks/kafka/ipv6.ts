/**
 * kafkajs splits the addresses of brokers at their first colon, so an IPv6 address gets other ones there: the
 * letter U+A789, which looks like a colon and is in no address.
 */
const letter = "\uA789";

/** The form of `[address]:port` that kafkajs does not break apart; any other `host:port` is unchanged. */
export function toKafkajsBroker(broker: string): string {
  const [, address, port] = /^\[(.+)\]:(\d+)$/.exec(broker) ?? [];
  if (address === undefined) return broker;
  return `[${address.replaceAll(":", letter)}]:${port}`;
}

/** The address in a host from kafkajs, without brackets; a name is unchanged. */
export function fromKafkajsHost(host: string): string {
  return host.startsWith("[") ? withColons(host.slice(1, -1)) : host;
}

/** A message of kafkajs with the addresses as they were configured. */
export function withColons(text: string): string {
  return text.replaceAll(letter, ":");
}
