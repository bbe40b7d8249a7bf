import { file } from "./file/index.ts";
import { kafka } from "./kafka/index.ts";
import { rabbitmq } from "./rabbitmq/index.ts";
import type { SinkKind } from "./sink-kind.ts";
import { stdout } from "./stdout/index.ts";

/** The kinds of sinks. This list is the only place that names them all. */
export const sinkKinds: readonly SinkKind[] = [kafka, rabbitmq, file, stdout];

/** The kind whose schemes include that of `url`; `undefined` for an unknown scheme. */
export function kindOfUrl(url: unknown, kinds: readonly SinkKind[]): SinkKind | undefined {
  const scheme = typeof url === "string" ? url.slice(0, Math.max(0, url.indexOf(":"))) : "";
  return kinds.find(({ schemes }) => schemes.includes(scheme));
}
