import { parseTree } from "jsonc-parser";
import type { SinkConfiguration } from "../sinks/registry.ts";
import { ConfigError, type Diagnostic, type Finding, toDiagnostics } from "./diagnostics.ts";
import { findingAt } from "./findings.ts";
import { parseConfig, type ResolvedConfig, readConfigText } from "./load.ts";
import { inspectTls } from "./tls-files.ts";

/** A configuration with what is doubtful in it. */
export interface InspectedConfig {
  readonly config: ResolvedConfig;
  readonly warnings: readonly Diagnostic[];
}

/** A finding of one sink, by its path below the sink. */
interface SinkFinding {
  readonly path: readonly string[];
  readonly isWarning: boolean;
  readonly message: string;
  readonly hint: string;
}

/**
 * As `loadConfig`, and looks also at what the enabled sinks need later: the files of TLS, and ways on which
 * others can read a password. `now`: the time for which certificates are looked at, in ms.
 */
export function inspectConfig(file: string, now: number = Date.now()): InspectedConfig {
  const text = readConfigText(file);
  const config = parseConfig(file, text);
  const root = parseTree(text, [], { allowTrailingComma: true });
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  for (const [index, sink] of config.sinks.entries()) {
    if (root === undefined || !sink.options.enabled) continue;
    for (const { path, isWarning, message, hint } of inspectSink(sink, now)) {
      const finding = findingAt(root, ["sinks", index, ...path], message, hint);
      (isWarning ? warnings : errors).push(finding);
    }
  }
  if (errors.length > 0) throw new ConfigError(toDiagnostics(file, text, errors));
  return { config, warnings: toDiagnostics(file, text, warnings) };
}

function inspectSink({ kind, options }: SinkConfiguration, now: number): SinkFinding[] {
  if (kind !== "kafka" && kind !== "rabbitmq") return [];
  if (options.tls !== undefined) {
    return inspectTls(options.tls, now).map(({ option, ...rest }) => ({
      path: ["tls", option],
      ...rest,
    }));
  }
  if (kind === "kafka") {
    return options.sasl?.mechanism === "plain" ? [inClear(["sasl", "mechanism"], "kafkas")] : [];
  }
  const isLocal = options.hosts.every(({ host }) => isLoopback(host));
  return options.hasPassword && !isLocal ? [inClear(["password"], "amqps")] : [];
}

function inClear(path: readonly string[], scheme: string): SinkFinding {
  const message = "the password crosses the network in clear text";
  return { path, isWarning: true, message, hint: `Use ${scheme}:// in the URL.` };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
