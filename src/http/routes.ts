import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { jsonText } from "../events/json-text.ts";
import type { Status } from "../health/status.ts";
import type { Observation } from "../service/live-status.ts";
import { metricsText } from "./exposition.ts";

/** What the routes answer with. */
export interface RouteOptions {
  /** Never rejects. */
  readonly observe: () => Promise<Observation>;
  /** Bearer token that a request must have. Default: none. */
  readonly token?: () => string;
}

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
}

const plain = "text/plain; charset=utf-8";
const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const prometheusText = "text/plain; version=0.0.4; charset=utf-8";

const common = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
} as const;

/** Answers GET and HEAD of the endpoint's paths. */
export async function answerRequest(
  options: RouteOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { code, type, body } = await answerTo(options, request);
  const bytes = Buffer.from(body);
  response.writeHead(code, {
    ...common,
    "content-type": type,
    "content-length": bytes.length,
    ...(code === 401 && { "www-authenticate": "Bearer" }),
    ...(code === 405 && { allow: "GET, HEAD" }),
    // Whoever sends a body is not one of those that this is made for.
    ...(hasBody(request) && { connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : bytes);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

async function answerTo(options: RouteOptions, request: IncomingMessage): Promise<Answer> {
  const { method = "", url = "", headers } = request;
  if (options.token !== undefined && !isAuthorized(headers.authorization, options.token())) {
    return { code: 401, type: plain, body: "a bearer token is needed\n" };
  }
  if (method !== "GET" && method !== "HEAD") {
    return { code: 405, type: plain, body: "only GET and HEAD\n" };
  }
  const path = url.split("?", 1)[0];
  switch (path) {
    case "/livez":
      return { code: 200, type: plain, body: "ok\n" };
    case "/readyz":
      return readiness((await options.observe()).status);
    case "/status": {
      const { status } = await options.observe();
      return { code: 200, type: "application/json", body: `${jsonText(status, undefined, 2)}\n` };
    }
    case "/metrics": {
      const isOpen = headers.accept?.includes("application/openmetrics-text") === true;
      const body = metricsText(await options.observe(), isOpen ? "openmetrics" : "prometheus");
      return { code: 200, type: isOpen ? openMetrics : prometheusText, body };
    }
    default:
      return { code: 404, type: plain, body: "try /livez, /readyz, /status or /metrics\n" };
  }
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
