import type { LoggedLine } from "./service-process.ts";

/** What must not happen. */
export class Violation extends Error {
  override readonly name = "Violation";
  /** The newest lines of the service's log. */
  readonly log: readonly LoggedLine[];

  constructor(message: string, log: readonly LoggedLine[]) {
    super(message);
    this.log = log;
  }
}

/** An error with its stack. */
export function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
