import net from "node:net";
import tls from "node:tls";
import type { ISocketFactoryArgs } from "kafkajs";

/** How long a connection is silent before TCP probes it, in ms. */
const keepAliveDelayMs = 60_000;

/**
 * Opens a connection as kafkajs itself does, but turns on keep-alive when it is open: set before,
 * it makes the connect fail under Wine.
 */
export function connectSocket({ host, port, ssl, onConnect }: ISocketFactoryArgs): net.Socket {
  const serverName = net.isIP(host) === 0 ? { servername: host } : {};
  // kafkajs leaves `ssl` undefined without TLS, whatever its types say.
  const isSecure = Boolean(ssl);
  const socket = isSecure
    ? tls.connect({ host, port, ...serverName, ...ssl }, onConnect)
    : net.connect({ host, port }, onConnect);
  return socket.once("connect", () => socket.setKeepAlive(true, keepAliveDelayMs));
}
