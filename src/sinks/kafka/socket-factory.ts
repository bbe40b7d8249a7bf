import net from "node:net";
import tls from "node:tls";
import type { ISocketFactory } from "kafkajs";
import { loadTls, type ResolvedTlsOptions } from "../tls-options.ts";
import { fromKafkajsHost } from "./ipv6.ts";

/** How long a connection may be silent before TCP probes it, in ms. */
const keepAliveDelayMs = 60_000;

/**
 * Opens connections like kafkajs itself, but turns keep-alive on only once a connection is open: set earlier, it
 * makes connecting fail under Wine. Each connection reads the certificates again, so renewed ones take effect.
 */
export function socketFactory(tlsOptions: ResolvedTlsOptions | undefined): ISocketFactory {
  return ({ host: name, port, onConnect }) => {
    const host = fromKafkajsHost(name);
    const serverName = net.isIP(host) === 0 ? { servername: host } : {};
    const socket = tlsOptions
      ? tls.connect({ host, port, ...serverName, ...loadTls(tlsOptions) }, onConnect)
      : net.connect({ host, port }, onConnect);
    return socket.once("connect", () => socket.setKeepAlive(true, keepAliveDelayMs));
  };
}
