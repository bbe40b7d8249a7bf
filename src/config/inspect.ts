import { parseTree } from "jsonc-parser";
import { clock } from "../clock.ts";
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
  /** As `process.platform`, which is the default. */
  readonly platform?: NodeJS.Platform;
}

/** What the inspection of the sinks found. */
export interface Inspection {
  readonly config: ResolvedConfig;
  /** What keeps a sink from working, such as a missing certificate. */
  readonly errors: readonly Diagnostic[];
  /** What works but should be changed. */
  readonly warnings: readonly Diagnostic[];
}

/**
 * Like `loadConfig`, and also inspects each enabled sink without connecting: certificate files, passwords in
 * clear text, and whatever else its kind checks. Throws a ConfigError.
 */
export function inspectConfig(file: string, options: InspectOptions = {}): InspectedConfig {
  const { config, errors, warnings } = inspectSinks(file, options);
  if (errors.length > 0) throw new ConfigError(errors);
  return { config, warnings };
}

/**
 * As `inspectConfig`, but throws only as `loadConfig` does and for what this platform cannot do: a running service retries
 * a sink that does not work.
 */
export function inspectSinks(
  file: string,
  { now = clock.time(), kinds = sinkKinds, platform = process.platform }: InspectOptions = {},
): Inspection {
  const text = readConfigText(file);
  const config = parseConfig(file, text, { kinds });
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (root !== undefined && config.reconcile !== undefined && platform !== "win32") {
    const message = "compares with the database of a CA, which only Windows has";
    const hint = "Leave the section out on this machine.";
    const refused = findingAt(root, ["reconcile"], message, hint);
    throw new ConfigError(toDiagnostics(file, text, [refused]));
  }
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  for (const [index, sink] of config.sinks.entries()) {
    if (root === undefined || !sink.options.enabled) continue;
    for (const { path, isWarning, message, hint } of sink.inspect(now)) {
      const finding = findingAt(root, ["sinks", index, ...path], message, hint);
      (isWarning ? warnings : errors).push(finding);
    }
  }
  const [asErrors, asWarnings] = [errors, warnings].map((all) => toDiagnostics(file, text, all));
  return { config, errors: asErrors ?? [], warnings: asWarnings ?? [] };
}
