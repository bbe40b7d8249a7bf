import { ConfigError, type Diagnostic } from "../config/config-error.ts";
import { inspectSinks } from "../config/inspect.ts";
import { loadConfig, type ResolvedConfig } from "../config/load.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import type { SinkKind } from "../sinks/sink-kind.ts";
import { countOf } from "../units.ts";
import { caution, type Finding, findings, problem } from "./finding.ts";

/** A configuration, as far as it can be used. */
export interface Configuration {
  readonly config?: ResolvedConfig;
  /** False if sinks cannot be opened with it. */
  readonly isUsable: boolean;
  readonly findings: readonly Finding[];
}

/** Reads a configuration and inspects it without a connection. What only the secrets of a configuration spoil leaves the directories known. */
export function readConfiguration(file: string, kinds?: readonly SinkKind[]): Configuration {
  const some = kinds && { kinds };
  try {
    const { config, errors, warnings } = inspectSinks(file, { ...some });
    const problems = [
      ...errors.map((each) => ofDiagnostic(each, true)),
      ...warnings.map((each) => ofDiagnostic(each, false)),
    ];
    const enabled = config.sinks.filter(({ options }) => options.enabled).length;
    const seen = `${file}: ${countOf(enabled, "sink")} enabled`;
    return { config, isUsable: true, findings: findings("configuration", seen, problems) };
  } catch (error) {
    if (!(error instanceof CertwireError)) throw error;
    const problems =
      error instanceof ConfigError
        ? error.diagnostics.map((each) => ofDiagnostic(each, true))
        : [problem(error.message, error.hint, "reference/configuration.md")];
    const found = findings("configuration", file, problems);
    const config = configWithoutSecrets(file, some);
    return { ...(config && { config }), isUsable: false, findings: found };
  }
}

function configWithoutSecrets(
  file: string,
  kinds: { readonly kinds: readonly SinkKind[] } | undefined,
): ResolvedConfig | undefined {
  try {
    return loadConfig(file, { ...kinds, isNeeded: () => false });
  } catch {
    return undefined;
  }
}

function ofDiagnostic({ file, line, column, path, message, hint }: Diagnostic, isError: boolean) {
  const subject = path === "" ? "" : `${path}: `;
  const seen = `${file}:${line}:${column}: ${subject}${message}`;
  const fix = hint ?? "Correct that place of the file.";
  return (isError ? problem : caution)(seen, fix, "reference/configuration.md");
}
