import { CertwireError } from "../errors/certwire-error.ts";

/** One broker address. */
export interface HostPort {
  /** Name or address; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

/** A URL that may name several hosts: `scheme://[user@]h1[:port],h2[:port]/path?query`. */
export interface ServerUrl {
  /** Without the colon. */
  readonly scheme: string;
  /** Decoded; `undefined` when the URL names no user. */
  readonly username: string | undefined;
  /** At least one, in the order of the URL. */
  readonly hosts: readonly HostPort[];
  /** Decoded text after the slash; `undefined` when there is no slash. */
  readonly path: string | undefined;
  /** Parameters after the question mark; empty when there are none. */
  readonly query: URLSearchParams;
}

const urlPattern = /^([a-z]+):\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const hostPattern = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/;

/**
 * Parses a broker URL. A password in it is refused: secrets are given by reference. Throws a CertwireError
 * that never repeats any part of the URL, since a mistyped one may hold a password anywhere.
 */
export function parseServerUrl(url: string, defaultPorts: Readonly<Record<string, number>>) {
  const match = urlPattern.exec(url);
  const [, scheme = "", user, authority = "", path, query] = match ?? [];
  const defaultPort = defaultPorts[scheme];
  if (!match || defaultPort === undefined) {
    const forms = Object.keys(defaultPorts).map(
      (name) => `${name}://host[:port][,host[:port]]/...`,
    );
    throw invalidUrl(`the URL must look like ${forms.join(" or ")}`);
  }
  // A password with a slash or question mark ends the authority early: its @ comes after that.
  if (user?.includes(":") || path?.includes("@") || query?.includes("@")) {
    throw invalidUrl(
      "the URL holds a password",
      "Give it by reference, as `password`; write an @ elsewhere as %40.",
    );
  }
  return {
    scheme,
    username: user === undefined ? undefined : decode(user),
    hosts: authority.split(",").map((host) => parseHost(host, defaultPort)),
    path: path === undefined ? undefined : decode(path),
    query: new URLSearchParams(query),
  } satisfies ServerUrl;
}

/** A host as `host:port`; an IPv6 address gets its brackets. */
export function formatHost({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A configuration error about a sink's URL. */
export function invalidUrl(message: string, hint?: string): CertwireError {
  return new CertwireError("CERTWIRE_CONFIG_INVALID", message, hint === undefined ? {} : { hint });
}

/** A `host` or `host:port`, as it stands in a URL. Throws a CertwireError. */
export function parseHost(text: string, defaultPort: number): HostPort {
  const [, host, port] = hostPattern.exec(text) ?? [];
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || number < 1 || number > 65_535) {
    throw invalidUrl("the URL names a server that is not host or host:port");
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: number };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidUrl("the URL has a bad percent escape");
  }
}
