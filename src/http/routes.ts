import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { isIP } from "node:net";
import { jsonText } from "../events/json-text.ts";
import type { Status } from "../health/status.ts";
import type { Observation } from "../service/live-status.ts";
import type { LiveFeed } from "./live-feed.ts";
import { staticFile } from "./page-files.ts";

/** What the routes answer with. */
export interface RouteOptions {
  /** Never rejects. */
  readonly observe: () => Promise<Observation>;
  /** What the status page shows. */
  readonly feed: LiveFeed;
  /** False if no client gets the names of people in events. */
  readonly mayShowNames: boolean;
  /** False for a socket file or pipe. */
  readonly isReachableByBrowsers: boolean;
  /** Bearer token that a request for data must have. Default: none. */
  readonly token?: () => string;
}

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string | Buffer;
}

const plain = "text/plain; charset=utf-8";

/** The page loads and runs its own files only, and talks to this endpoint only. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const common = {
  "cache-control": "no-store",
  "content-security-policy": policy,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** Answers GET and HEAD of the endpoint's paths. */
export async function answerRequest(
  options: RouteOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await answerTo(options, request);
  if (answer === "stream") {
    stream(options, request, response);
    return;
  }
  const { code, type, body } = answer;
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  response.writeHead(code, {
    ...common,
    "content-type": type,
    "content-length": bytes.length,
    ...(code === 401 && { "www-authenticate": "Bearer" }),
    ...(code === 405 && { allow: "GET, HEAD" }),
    ...(code === 503 && { "retry-after": "10" }),
    // Whoever sends a body is not one of those that this is made for.
    ...(hasBody(request) && { connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : bytes);
}

function stream(options: RouteOptions, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { ...common, "content-type": "text/event-stream" });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const wanted = new URLSearchParams(request.url?.split("?", 2)[1]).get("names");
  // The first update may take a while.
  response.flushHeaders();
  const isAllowed = (): boolean => {
    try {
      return hasAccess(options, request);
    } catch {
      return false;
    }
  };
  const hasNames = options.mayShowNames && wanted === "shown";
  options.feed.join(request, response, { hasNames, isAllowed });
}

function hasAccess({ token }: RouteOptions, { headers }: IncomingMessage): boolean {
  return token === undefined || isAuthorized(headers.authorization, token());
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

async function answerTo(
  options: RouteOptions,
  request: IncomingMessage,
): Promise<Answer | "stream"> {
  const { method = "", url = "", headers } = request;
  const isAllowed = method === "GET" || method === "HEAD";
  const path = url.split("?", 1)[0] ?? "";
  const file = isAllowed ? await staticFile(path) : undefined;
  if (file !== undefined) return { code: 200, ...file };
  if (!hasAccess(options, request)) {
    return { code: 401, type: plain, body: "a bearer token is needed\n" };
  }
  if (!isAllowed) return { code: 405, type: plain, body: "only GET and HEAD\n" };
  if (options.token === undefined && options.isReachableByBrowsers) {
    const refusal = refusalOf(headers);
    if (refusal !== undefined) return { type: plain, ...refusal };
  }
  return dataAt(path, options, headers);
}

async function dataAt(
  path: string,
  { observe, feed }: RouteOptions,
  { accept }: IncomingMessage["headers"],
): Promise<Answer | "stream"> {
  switch (path) {
    case "/livez":
      return { code: 200, type: plain, body: "ok\n" };
    case "/readyz":
      return readiness((await observe()).status);
    case "/status": {
      const { status } = await observe();
      return { code: 200, type: "application/json", body: `${jsonText(status, undefined, 2)}\n` };
    }
    case "/metrics": {
      const isOpen = accept?.includes("application/openmetrics-text") === true;
      const format = isOpen ? "openmetrics" : "prometheus";
      // Loaded at the first scrape: a service without an endpoint needs neither its memory nor its time.
      const { contentTypes, metricsBody } = await import("./exposition.ts");
      const body = await metricsBody(await observe(), format);
      return { code: 200, type: contentTypes[format], body };
    }
    case "/events":
      if (!feed.isFull) return "stream";
      return { code: 503, type: plain, body: "too many status pages are open\n" };
    default: {
      const body = "try /, /livez, /readyz, /status, /events or /metrics\n";
      return { code: 404, type: plain, body };
    }
  }
}

/**
 * Why a request may be one that a page of another site made a browser send; `undefined` if it is not. That page has no
 * token, so this is for endpoints without one. It could not read the answer, but take the connections of others.
 */
function refusalOf(
  headers: IncomingMessage["headers"],
): { readonly code: number; readonly body: string } | undefined {
  const { host = "", origin, "sec-fetch-site": site = "none" } = headers;
  // By a name of that site which leads here (DNS rebinding).
  const name = host.replace(/:\d+$/, "");
  if (isIP(name.replace(/^\[(.*)\]$/, "$1")) === 0 && name.toLowerCase() !== "localhost") {
    const body = "without a token: only requests to an IP address or localhost\n";
    return { code: 421, body };
  }
  const isOwn = origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
  if (isOwn && (site === "none" || site === "same-origin")) return undefined;
  return { code: 403, body: "without a token: no requests by pages of another site\n" };
}

function readiness({ state, reasons }: Status): Answer {
  const lines = reasons.map((each) => [each.state, each.code, each.sink ?? ""].join(" ").trimEnd());
  const body = [state, ...lines, ""].join("\n");
  return { code: state === "failing" ? 503 : 200, type: plain, body };
}

/** Compares hashes, so that the time of it says nothing about the token. */
function isAuthorized(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(header ?? "")?.[1] ?? "";
  const [a, b] = [given, token].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
