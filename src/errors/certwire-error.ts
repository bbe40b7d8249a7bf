import { type ErrorCode, errorCodes } from "./codes.ts";

/** What a `CertwireError` may carry besides its code and message. */
export interface CertwireErrorOptions {
  /** The error that led to this one. Default none. */
  readonly cause?: unknown;
  /** What to do, when more is known than the code's general hint. Default that hint. */
  readonly hint?: string;
}

/** The one error class of Certwire; retry flag, exit code and default hint come from `errorCodes`. */
export class CertwireError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: CertwireErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CertwireError";
    this.code = code;
    this.hint = options.hint ?? errorCodes[code].hint;
  }

  /** True when the same step can succeed later without a change to Certwire. */
  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }

  /** Exit code of a command that ends with this error. */
  get exitCode(): number {
    return errorCodes[this.code].exitCode;
  }
}
