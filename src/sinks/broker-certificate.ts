import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { formatHost, type HostPort } from "./server-url.ts";
import { loadTls, type ResolvedTlsOptions } from "./tls-options.ts";

/** The servers that a sink connects to first. */
export interface BrokerServers {
  readonly hosts: readonly HostPort[];
  /** Present if they are asked with TLS. */
  readonly tls?: ResolvedTlsOptions;
}

/** How long the certificate is valid that a broker has shown. */
export interface BrokerCertificate {
  /** `host:port` of the broker. */
  readonly server: string;
  /** In ms since 1970. */
  readonly notBeforeMs: number;
  /** In ms since 1970. */
  readonly notAfterMs: number;
}

/**
 * Asks each server with TLS for its certificate, and verifies nothing: opening the sink does that. A server that shows none
 * in time, in ms, is left out, since opening the sink reports that too.
 */
export async function brokerCertificates(
  { hosts, tls }: BrokerServers,
  timeoutMs: number,
): Promise<BrokerCertificate[]> {
  if (tls === undefined) return [];
  const asked = await Promise.allSettled(hosts.map((host) => ask(host, tls, timeoutMs)));
  return asked.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
}

async function ask(
  { host, port }: HostPort,
  tls: ResolvedTlsOptions,
  timeoutMs: number,
): Promise<BrokerCertificate> {
  const serverName = isIP(host) === 0 ? { servername: host } : {};
  // A certificate that has ended is one that must be seen.
  const options = { host, port, ...serverName, ...loadTls(tls), rejectUnauthorized: false };
  const socket = connect(options);
  const timeout = setTimeout(() => socket.destroy(new Error("no answer")), timeoutMs);
  try {
    await new Promise((resolve, reject) => {
      socket.once("secureConnect", resolve).once("error", reject).once("close", reject);
    });
    return { server: formatHost({ host, port }), ...validityOf(socket) };
  } finally {
    clearTimeout(timeout);
    // What the server sends to a client that leaves is of no interest.
    socket.on("error", () => undefined);
    socket.destroy();
  }
}

function validityOf(socket: TLSSocket): Pick<BrokerCertificate, "notBeforeMs" | "notAfterMs"> {
  const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
  return { notBeforeMs: Date.parse(from), notAfterMs: Date.parse(to) };
}
