import { isIP, isIPv4 } from "node:net";

/** Where a server listens: a TCP address, or a path that only this machine can reach. */
export type ListenAddress =
  | { readonly host: string; readonly port: number; readonly isLocal: boolean }
  | { readonly path: string; readonly isLocal: true };

const pipePrefix = "\\\\.\\pipe\\";

/**
 * Reads `host:port`, `[ipv6]:port`, `unix:/path` or `pipe:name` (Windows); `undefined` for anything else. A host is an
 * IP address or `localhost`: a name could lead anywhere else than its writer thinks.
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, scheme, rest = ""] = /^(unix|pipe):(.+)$/s.exec(text) ?? [];
  if (scheme === "unix") return rest.startsWith("/") ? { path: rest, isLocal: true } : undefined;
  if (scheme === "pipe") {
    return /^[\w.-]+$/.test(rest) ? { path: `${pipePrefix}${rest}`, isLocal: true } : undefined;
  }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const [host = "", port] = [bracketed ?? plain, Number(digits)];
  if (!(port >= 1 && port <= 65_535)) return undefined;
  if (bracketed === undefined ? !isIPv4(host) && host !== "localhost" : isIP(host) !== 6) {
    return undefined;
  }
  return { host, port, isLocal: isLoopback(host) };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
