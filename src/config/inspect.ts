import { parseTree } from "jsonc-parser";
import { sinkKinds } from "../sinks/registry.ts";
import type { SinkKind } from "../sinks/sink-kind.ts";
import { ConfigError, type Diagnostic } from "./config-error.ts";
import { type Finding, toDiagnostics } from "./diagnostics.ts";
import { findingAt } from "./findings.ts";
import { parseConfig, type ResolvedConfig, readConfigText } from "./load.ts";

/** A configuration with its warnings. */
export interface InspectedConfig {
  readonly config: ResolvedConfig;
  readonly warnings: readonly Diagnostic[];
}

/** How a configuration is inspected. */
export interface InspectOptions {
  /** The time that certificates are checked against, in ms since 1970. Default: now. */
  readonly now?: number;
  /** The kinds of sinks. Default: those of the registry. */
  readonly kinds?: readonly SinkKind[];
}

/**
 * Like `loadConfig`, and also inspects each enabled sink without connecting: certificate files, passwords in
 * clear text, and whatever else its kind checks. Throws a ConfigError.
 */
export function inspectConfig(
  file: string,
  { now = Date.now(), kinds = sinkKinds }: InspectOptions = {},
): InspectedConfig {
  const text = readConfigText(file);
  const config = parseConfig(file, text, { kinds });
  const root = parseTree(text, [], { allowTrailingComma: true });
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  for (const [index, sink] of config.sinks.entries()) {
    if (root === undefined || !sink.options.enabled) continue;
    for (const { path, isWarning, message, hint } of sink.inspect(now)) {
      const finding = findingAt(root, ["sinks", index, ...path], message, hint);
      (isWarning ? warnings : errors).push(finding);
    }
  }
  if (errors.length > 0) throw new ConfigError(toDiagnostics(file, text, errors));
  return { config, warnings: toDiagnostics(file, text, warnings) };
}
