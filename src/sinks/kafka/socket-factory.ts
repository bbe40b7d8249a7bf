import net from "node:net";
import tls from "node:tls";
import type { ISocketFactory } from "kafkajs";
import { loadTls, type ResolvedTlsOptions } from "../tls-options.ts";

/** How long a connection is silent before TCP probes it, in ms. */
const keepAliveDelayMs = 60_000;

/**
 * Opens connections as kafkajs itself does, but turns on keep-alive when one is open: set before, it makes
 * the connect fail under Wine. Each connection has the certificates of its time.
 */
export function socketFactory(tlsOptions: ResolvedTlsOptions | undefined): ISocketFactory {
  return ({ host, port, onConnect }) => {
    const serverName = net.isIP(host) === 0 ? { servername: host } : {};
    const socket = tlsOptions
      ? tls.connect({ host, port, ...serverName, ...loadTls(tlsOptions) }, onConnect)
      : net.connect({ host, port }, onConnect);
    return socket.once("connect", () => socket.setKeepAlive(true, keepAliveDelayMs));
  };
}
