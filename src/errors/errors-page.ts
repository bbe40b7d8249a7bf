import { type ErrorCodeEntry, errorCodes } from "./codes.ts";

/** The reference page of all error codes, as Markdown. */
export function errorsPage(): string {
  const sections = Object.entries(errorCodes).map(([code, entry]) => section(code, entry));
  return `# Error codes

Every error of Certwire carries one of these codes. A retryable error goes away by itself once its cause is mended; the service
keeps trying.

${sections.join("\n")}`;
}

function section(code: string, entry: ErrorCodeEntry): string {
  return `## ${code}

${entry.meaning} ${entry.hint}

Retryable: ${entry.retryable ? "yes" : "no"}. Exit code: ${entry.exitCode}.
`;
}
