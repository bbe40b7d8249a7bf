import type { FetchToken } from "./access-token.ts";
import { requestToken, type TokenRequest } from "./token-request.ts";

/** A client that gets its tokens from a token endpoint. What may be replaced while it runs is read for each request. */
export interface ClientCredentials extends Omit<TokenRequest, "clientSecret" | "ca"> {
  /** Never log it. */
  readonly clientSecret: () => string;
  /** CA certificates to trust, in PEM. Default: those that come with Node.js. */
  readonly ca?: () => string;
}

/** Gets tokens with these credentials. */
export function fetchWithCredentials(credentials: ClientCredentials): FetchToken {
  const { clientSecret, ca, ...fixed } = credentials;
  return async () =>
    requestToken({ ...fixed, clientSecret: clientSecret(), ...(ca && { ca: ca() }) });
}
