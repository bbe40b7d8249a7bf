import type { SinkConfiguration } from "../config/sink-entry.ts";

/** Gives a sink that takes one writer a separate place, because the service may be using it now. */
export function besideTheService(sink: SinkConfiguration, command: string): SinkConfiguration {
  const name = `${command}-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
  return { ...sink, ...sink.apart(name) };
}
