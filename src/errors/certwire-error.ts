import { type ErrorCode, errorCodes } from "./codes.ts";

/** Extra facts about an error. */
export interface CertwireErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** What to do, when more is known than the table's general hint. */
  readonly hint?: string;
}

/** The one error class of Certwire: code, retry flag, exit code and hint come from the table. */
export class CertwireError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: CertwireErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CertwireError";
    this.code = code;
    this.hint = options.hint ?? errorCodes[code].hint;
  }

  /** True when trying again without a change can help. */
  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }

  /** Exit code of a command that ends with this error. */
  get exitCode(): number {
    return errorCodes[this.code].exitCode;
  }
}
