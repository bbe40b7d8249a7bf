import type { Logger } from "pino";
import type { HttpOptions } from "../config/http-options.ts";
import { describeError } from "../errors/describe-error.ts";
import { RepeatedLines } from "../log/repeated-lines.ts";
import { type EndpointOptions, serveEndpoint } from "./endpoint.ts";
import { LiveFeed, type LiveFeedOptions } from "./live-feed.ts";
import { answerRequest } from "./routes.ts";

/** What the endpoint of a service needs. */
export interface ServeStatusOptions extends Omit<LiveFeedOptions, "failed"> {
  readonly http: HttpOptions;
  readonly log: Logger;
}

/** Serves health, status, metrics and the status page until the signal is aborted. Never rejects. */
export async function serveStatus(
  { http, log, ...sources }: ServeStatusOptions,
  signal: AbortSignal,
): Promise<void> {
  const lines = new RepeatedLines(log);
  const failed = (error: unknown): void =>
    lines.write("cannot send an update to the status page", describeError(error));
  const routes = {
    observe: sources.observe,
    feed: new LiveFeed({ ...sources, failed }),
    mayShowNames: http.names === "on-request",
    isReachableByBrowsers: "host" in http.address,
    ...(http.token && { token: http.token }),
  };
  const answer: EndpointOptions["answer"] = (request, response) =>
    answerRequest(routes, request, response);
  await serveEndpoint({ http, log, answer }, signal).finally(() => lines.close());
}
