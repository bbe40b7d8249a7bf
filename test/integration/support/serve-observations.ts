import type { TestContext } from "node:test";
import { resolveHttp } from "../../../src/config/http-options.ts";
import { serveStatus } from "../../../src/http/serve-status.ts";
import type { Observation } from "../../../src/service/live-status.ts";
import { collectLog } from "../../support/collect-log.ts";
import { until } from "../../support/until.ts";
import { freePorts } from "./free-ports.ts";

/** Serves what a service would, without one, until the test ends; returns host and port. */
export async function serveObservations(
  t: TestContext,
  observe: () => Observation,
): Promise<string> {
  const [port = 0] = await freePorts(1);
  const { log, lines } = collectLog();
  const stop = new AbortController();
  const serving = serveStatus(
    {
      http: resolveHttp({ listen: `127.0.0.1:${port}` }, "/"),
      log,
      observe: async () => observe(),
      history: () => [],
      recentEvents: () => Promise.resolve([]),
    },
    stop.signal,
  );
  t.after(() => {
    stop.abort();
    return serving;
  });
  const isListening = () => lines.some(({ msg }) => msg === "the HTTP endpoint listens");
  await until(isListening, "the endpoint listens");
  return `127.0.0.1:${port}`;
}
