import type { Logger } from "pino";
import { describeError } from "../errors/describe-error.ts";
import { logLine } from "../log/log-line.ts";
import type { StateLayout } from "../state/layout.ts";
import { RoutedKindsFile } from "../state/routed-kinds-file.ts";

/** `undefined` for a sink whose destination takes all events. A file that cannot be read holds up nothing. */
export async function readRoutedKinds(
  { name, routing }: { readonly name: string; readonly routing?: string | undefined },
  layout: StateLayout,
  log: Logger,
): Promise<RoutedKindsFile | undefined> {
  if (routing === undefined) return undefined;
  const paths = { path: layout.routedKinds(name), root: layout.directory };
  return RoutedKindsFile.read(paths, routing, (error) =>
    logLine(log, "cannot read which kinds of events were routed", describeError(error)),
  );
}
