import type { Logger } from "pino";
import type { HttpOptions } from "../config/http-options.ts";
import { serveEndpoint } from "./endpoint.ts";
import { LiveFeed, type LiveFeedOptions } from "./live-feed.ts";
import { answerRequest } from "./routes.ts";

/** What the endpoint of a service needs. */
export interface ServeStatusOptions extends LiveFeedOptions {
  readonly http: HttpOptions;
  readonly log: Logger;
}

/** Serves health, status, metrics and the status page until the signal is aborted. Never rejects. */
export async function serveStatus(
  { http, log, ...sources }: ServeStatusOptions,
  signal: AbortSignal,
): Promise<void> {
  const routes = {
    observe: sources.observe,
    feed: new LiveFeed(sources),
    mayShowNames: http.names === "on-request",
    isReachableByBrowsers: "host" in http.address,
    ...(http.token && { token: http.token }),
  };
  await serveEndpoint(
    { http, log, answer: (request, response) => answerRequest(routes, request, response) },
    signal,
  );
}
