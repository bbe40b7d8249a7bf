import type { Logger } from "pino";
import type { HttpOptions } from "../config/http-options.ts";
import type { Observation } from "../service/live-status.ts";
import { serveEndpoint } from "./endpoint.ts";
import { answerRequest } from "./routes.ts";

/** What the endpoint of a service needs. */
export interface ServeStatusOptions {
  readonly http: HttpOptions;
  /** Never rejects. */
  readonly observe: () => Promise<Observation>;
  readonly log: Logger;
}

/** Serves health, status and metrics until the signal is aborted. Never rejects. */
export async function serveStatus(
  { http, observe, log }: ServeStatusOptions,
  signal: AbortSignal,
): Promise<void> {
  const routes = { observe, ...(http.token && { token: http.token }) };
  await serveEndpoint(
    { http, log, answer: (request, response) => answerRequest(routes, request, response) },
    signal,
  );
}
