import { parseTree } from "jsonc-parser";
import type { ResolvedRabbitMqSinkOptions } from "../sinks/rabbitmq/options.ts";
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
 * As `loadConfig`, and looks also at what the enabled sinks need later: the files of TLS, ways on which
 * others can read a password, and queues for all events. `now`: the time for which certificates are looked
 * at, in ms.
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
  const findings = kind === "rabbitmq" ? inspectBindings(options) : [];
  if (options.tls !== undefined) {
    for (const { option, ...rest } of inspectTls(options.tls, now)) {
      findings.push({ path: ["tls", option], ...rest });
    }
  } else if (kind === "kafka") {
    if (options.sasl?.mechanism === "plain")
      findings.push(inClear(["sasl", "mechanism"], "kafkas"));
  } else if (options.hasPassword && !options.hosts.every(({ host }) => isLoopback(host))) {
    findings.push(inClear(["password"], "amqps"));
  }
  return findings;
}

/** An event that no queue gets comes back from the broker, and holds up those behind it for a while. */
function inspectBindings({ topology, routingKey }: ResolvedRabbitMqSinkOptions): SinkFinding[] {
  if (topology === undefined) return [];
  const { stream, quorumQueues } = topology;
  const takers = stream ? [stream, ...quorumQueues] : quorumQueues;
  if (takers.some(({ bindingKey }) => bindingKey === "#" || bindingKey === routingKey)) return [];
  const message = "no stream or queue of the topology takes every event";
  const hint =
    'Give one the "bindingKey" "#", unless the exchange has a queue for all events already.';
  return [{ path: ["topology"], isWarning: true, message, hint }];
}

function inClear(path: readonly string[], scheme: string): SinkFinding {
  const message = "the password crosses the network in clear text";
  return { path, isWarning: true, message, hint: `Use ${scheme}:// in the URL.` };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
