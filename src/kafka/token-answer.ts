import type { AccessToken } from "./access-token.ts";
import { TokenError, type TokenErrorKind } from "./token-error.ts";

/** What a token endpoint answered. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: string;
}

/** Where an answer comes from, for messages, and what these must not show. */
export interface TokenOrigin {
  /** Host of the endpoint. */
  readonly host: string;
  readonly secrets: readonly string[];
}

const minuteMs = 60_000;
/** kafkajs authenticates again 10 s before a session ends: a shorter token would be asked for without a pause. */
const leastLifetimeSeconds = 15;
/** A token is not used for longer, whatever the endpoint says. */
const mostLifetimeSeconds = 86_400;
/** Of a token without `expires_in`. The broker knows its end; until then each new connection gets a new one. */
const unknownLifetimeMs = minuteMs;
/** More text of a server makes no message clearer. */
const mostText = 300;

/** The form of a bearer token (RFC 6750); any other could add fields to what is sent to the broker. */
const bearerToken = /^[\w.~+/-]+=*$/;

/** By `error` of the answer. */
const kindOfError: ReadonlyMap<unknown, TokenErrorKind> = new Map([
  ["invalid_client", "refused"],
  ["unauthorized_client", "refused"],
  ["access_denied", "refused"],
  ["temporarily_unavailable", "unreachable"],
  ["server_error", "unreachable"],
]);

/** The token in an answer. Throws a TokenError for every other answer. */
export function readTokenAnswer(answer: TokenAnswer, origin: TokenOrigin): AccessToken {
  const fields = fieldsOf(answer.body);
  if (answer.status !== 200) throw refusal(answer, fields, origin);
  const { access_token: value, token_type: type = "bearer", expires_in: seconds } = fields;
  if (typeof value !== "string") throw notAToken(origin, "it holds no access_token");
  if (!bearerToken.test(value)) throw notAToken(origin, "its access_token is malformed");
  if (typeof type !== "string" || type.toLowerCase() !== "bearer") {
    throw notAToken(origin, "its token_type is not Bearer");
  }
  return { value, lifetimeMs: lifetimeOf(seconds, origin) };
}

function fieldsOf(body: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(body)) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

/** Some servers write the number as text. */
function lifetimeOf(expiresIn: unknown, origin: TokenOrigin): number {
  if (expiresIn === undefined || expiresIn === null) return unknownLifetimeMs;
  const isNumber =
    typeof expiresIn === "number" ||
    (typeof expiresIn === "string" && /^\d{1,15}$/.test(expiresIn));
  const seconds = isNumber ? Number(expiresIn) : Number.NaN;
  if (!Number.isFinite(seconds)) throw notAToken(origin, "its expires_in is not a number");
  if (seconds < leastLifetimeSeconds) {
    throw new TokenError(
      "config",
      `${origin.host} issues tokens that end after ${seconds} s`,
      `Let it issue tokens of ${leastLifetimeSeconds} s or more for this client.`,
    );
  }
  return Math.min(seconds, mostLifetimeSeconds) * 1000;
}

function notAToken({ host }: TokenOrigin, reason: string): TokenError {
  const message = `the answer of ${host} is not a token: ${reason}`;
  return new TokenError("config", message, "Check that tokenEndpoint is the endpoint for tokens.");
}

function refusal(
  { status }: TokenAnswer,
  { error, error_description: description }: Readonly<Record<string, unknown>>,
  origin: TokenOrigin,
): TokenError {
  const texts = [error, description].flatMap((text) => shown(text, origin));
  const message = `${origin.host} issues no token: ${[`status ${status}`, ...texts].join(": ")}`;
  const kind = kindOfError.get(error) ?? kindOf(status);
  return new TokenError(kind, message, hintOf(kind, status));
}

function kindOf(status: number): TokenErrorKind {
  if (status >= 500 || status === 429 || status === 408) return "unreachable";
  return status === 401 || status === 403 ? "refused" : "config";
}

function hintOf(kind: TokenErrorKind, status: number): string {
  if (kind === "refused") {
    return "Check clientId, the client secret and whether it has expired, and that the client may use the client credentials grant. Some servers take the secret only with clientAuthentication post.";
  }
  if (kind === "unreachable")
    return "The token endpoint cannot issue a token now; it is asked again.";
  if (status >= 300 && status < 400) {
    return "The endpoint redirects, and a client secret is not sent elsewhere: put the final URL into tokenEndpoint.";
  }
  return "Check tokenEndpoint and scope.";
}

/** A server's own text, cut, without what must not be shown. */
function shown(text: unknown, { secrets }: TokenOrigin): string[] {
  if (typeof text !== "string" || text === "") return [];
  const forms = secrets.filter((secret) => secret !== "");
  const hidden = forms.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  return [hidden.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, mostText)];
}
