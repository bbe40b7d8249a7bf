import { Buffer } from "node:buffer";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { clock } from "../clock.ts";
import { readBody } from "../read-body.ts";
import type { AccessToken } from "./access-token.ts";
import { readTokenAnswer, type TokenAnswer } from "./token-answer.ts";
import { TokenError } from "./token-error.ts";

/** How a client gets its tokens: the client credentials grant of OAuth 2.0 (RFC 6749, 4.4). */
export interface TokenRequest {
  /** URL that `tokenEndpointProblem` has nothing against. */
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Default: the server's own. */
  readonly scope?: string;
  /** `basic` sends the credentials in a header, `post` in the body. */
  readonly clientAuthentication: "basic" | "post";
  /** CA certificates to trust, in PEM. Default: those that come with Node.js. */
  readonly ca?: string;
  /** Longest wait for the whole answer, in ms. */
  readonly timeoutMs: number;
}

/** A token with many claims has a few kilobytes. */
const mostBytes = 256 * 1024;

/** Asks the endpoint for a token. Rejects with a TokenError that names the host and no secret. */
export async function requestToken(request: TokenRequest): Promise<AccessToken> {
  const { host } = new URL(request.tokenEndpoint);
  const { clientSecret } = request;
  const { body, headers } = contentOf(request);
  let answer: TokenAnswer;
  try {
    answer = await post(request, body, headers);
  } catch (error) {
    throw toTokenError(error, host, request.timeoutMs);
  }
  return readTokenAnswer(answer, { host, secrets: formsOf(clientSecret, headers) });
}

/** The secret as a server may repeat it. */
function formsOf(
  secret: string,
  { authorization = "" }: Readonly<Record<string, string>>,
): string[] {
  const [, credentials = ""] = authorization.split(" ");
  return [credentials, secret, formEncoded(secret), encodeURIComponent(secret)];
}

function contentOf({ clientId, clientSecret, scope, clientAuthentication }: TokenRequest) {
  const fields = new URLSearchParams({ grant_type: "client_credentials" });
  if (scope !== undefined) fields.set("scope", scope);
  const headers: Record<string, string> = {
    "content-type": "application/x-www-form-urlencoded",
    accept: "application/json",
  };
  if (clientAuthentication === "post") {
    fields.set("client_id", clientId);
    fields.set("client_secret", clientSecret);
  } else {
    const credentials = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
    headers["authorization"] = `Basic ${Buffer.from(credentials).toString("base64")}`;
  }
  return { body: fields.toString(), headers };
}

/** RFC 6749, 2.3.1 wants both encoded so before they go into the header. */
function formEncoded(text: string): string {
  return new URLSearchParams({ text }).toString().slice("text=".length);
}

function post(
  { tokenEndpoint, ca, timeoutMs }: TokenRequest,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<TokenAnswer> {
  const url = new URL(tokenEndpoint);
  const signal = clock.timeoutSignal(timeoutMs);
  const options = {
    method: "POST",
    headers: { ...headers, "content-length": Buffer.byteLength(body) },
    signal,
    // A connection that is kept open would be half-open when the next token is due.
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const receive = (response: IncomingMessage): void => {
      readBody(response, mostBytes, () => new TooLarge()).then(
        (text) => resolve({ status: response.statusCode ?? 0, body: text }),
        reject,
      );
    };
    const request =
      url.protocol === "https:"
        ? https.request(url, { ...options, ...(ca !== undefined && { ca }) }, receive)
        : http.request(url, options, receive);
    request.on("error", reject);
    request.end(body);
  });
}

class TooLarge extends Error {}

function toTokenError(error: unknown, host: string, timeoutMs: number): TokenError {
  if (error instanceof TooLarge) {
    return new TokenError(
      "config",
      `the answer of ${host} is not a token: it has more than ${mostBytes} bytes`,
      "Check that tokenEndpoint is the endpoint for tokens.",
    );
  }
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (name === "TimeoutError" || name === "AbortError") {
    const text = `no answer from the token endpoint ${host} within ${timeoutMs} ms`;
    return new TokenError("unreachable", text, unreachableHint);
  }
  const text = `cannot reach the token endpoint ${host}: ${message || code}`;
  const tls = tlsHint(code);
  return tls === undefined
    ? new TokenError("unreachable", text, unreachableHint)
    : new TokenError("config", text, tls);
}

const unreachableHint =
  "Check tokenEndpoint, the network and the firewall: this machine must reach it directly, a proxy is not used. Events wait in the journal.";

function tlsHint(code: string | undefined): string | undefined {
  if (code === undefined) return undefined;
  if (code.startsWith("ERR_TLS_CERT_ALTNAME")) {
    return "Use a host name that the certificate of the token endpoint contains.";
  }
  if (/^CERT_(HAS_EXPIRED|NOT_YET_VALID)/.test(code)) {
    return "Renew the certificate of the token endpoint, or correct this machine's clock.";
  }
  if (/^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/.test(code)) {
    return "Add the certificate of the CA that issued the token endpoint's certificate to the file in its caFile.";
  }
  if (/^(ERR_TLS|ERR_SSL|EPROTO)/.test(code)) {
    return "Check that the port of the token endpoint is one with TLS.";
  }
  return undefined;
}
