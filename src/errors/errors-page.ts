import { type ErrorCodeEntry, errorCodes } from "./codes.ts";

/** The Markdown of `docs/reference/errors.md`. */
export function errorsPage(): string {
  const sections = Object.entries(errorCodes).map(([code, entry]) => section(code, entry));
  return `# Error codes

Every error of Certwire carries one of these codes. A retryable error goes away once its cause is fixed; the service keeps
trying.

${sections.join("\n")}`;
}

function section(code: string, entry: ErrorCodeEntry): string {
  return `## ${code}

${entry.meaning} ${entry.hint}

Retryable: ${entry.retryable ? "yes" : "no"}. Exit code: ${entry.exitCode}.
`;
}
