import { isIP } from "node:net";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { clock } from "../clock.ts";
import { formatHost, type HostPort } from "./server-url.ts";
import { loadTls, type ResolvedTlsOptions } from "./tls-options.ts";

/** The servers that a sink connects to first. */
export interface BrokerServers {
  readonly hosts: readonly HostPort[];
  /** Present if they are asked with TLS. */
  readonly tls?: ResolvedTlsOptions;
}

/** How long a certificate is valid, in ms since 1970. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The certificate that a broker has shown. */
export interface BrokerCertificate {
  /** `host:port` of the broker. */
  readonly server: string;
  /** Absent if its dates cannot be read. */
  readonly validity?: Validity;
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
  const timeout = clock.setTimeout(() => socket.destroy(new Error("no answer")), timeoutMs);
  try {
    await new Promise((resolve, reject) => {
      socket.once("secureConnect", resolve).once("error", reject).once("close", reject);
    });
    const validity = validityOf(socket);
    return { server: formatHost({ host, port }), ...(validity && { validity }) };
  } finally {
    clock.clear(timeout);
    // What the server sends to a client that leaves is of no interest.
    socket.on("error", () => undefined);
    socket.destroy();
  }
}

/** `undefined` if the certificate has dates that cannot be read, or there is none. */
function validityOf(socket: TLSSocket): Validity | undefined {
  const { valid_from: from = "", valid_to: to = "" } = Object(
    socket.getPeerCertificate(),
  ) as Partial<PeerCertificate>;
  const [notBeforeMs, notAfterMs] = [Date.parse(from), Date.parse(to)];
  return Number.isNaN(notBeforeMs) || Number.isNaN(notAfterMs)
    ? undefined
    : { notBeforeMs, notAfterMs };
}
