import { CertwireError } from "../errors/certwire-error.ts";
import type { ErrorCode } from "../errors/codes.ts";
import type { SinkFailure, SinkFailureKind } from "./sink.ts";

/** What an error of a client library means for the pipeline and for people. */
export interface FailureClass {
  readonly kind: SinkFailureKind;
  readonly code: ErrorCode;
  /** More specific than the code's own hint. */
  readonly hint?: string;
}

/** The connection is unusable. */
export const broken: FailureClass = { kind: "reset", code: "CERTWIRE_SINK_UNREACHABLE" };
/** Something on the broker or in the options is missing or wrong. */
export const config: FailureClass = { kind: "config", code: "CERTWIRE_SINK_CONFIG" };
/** Credentials or permissions were refused. */
export const auth: FailureClass = { kind: "auth", code: "CERTWIRE_SINK_AUTH" };

/** The same class with a hint that fits better than that of its code. */
export function hintedBy(failure: FailureClass, hint: string): FailureClass {
  return { ...failure, hint };
}

/** Kinds of the codes that need someone to act. */
const kindOfCode: Partial<Record<ErrorCode, SinkFailureKind>> = {
  CERTWIRE_SINK_CONFIG: "config",
  CERTWIRE_SINK_AUTH: "auth",
};

/** The class of an error that has its code already. */
export function classOfCode({ code, hint }: CertwireError): FailureClass {
  return { kind: kindOfCode[code] ?? "reset", code, hint };
}

/** Classifies what a client library threw; a CertwireError is passed on as it is. */
export class ErrorClassifier {
  readonly #classOf: (error: unknown) => FailureClass;
  readonly #publishFailed: string;

  /** `publishFailed`: message of the errors in failures. */
  constructor(classOf: (error: unknown) => FailureClass, publishFailed: string) {
    this.#classOf = classOf;
    this.#publishFailed = publishFailed;
  }

  /** The CertwireError for an error; `message` says what failed. */
  toError(error: unknown, message: string): CertwireError {
    if (error instanceof CertwireError) return error;
    const { code, hint } = this.#classOf(error);
    return new CertwireError(code, message, { cause: error, ...(hint !== undefined && { hint }) });
  }

  /** The failure for an error of a publish; `message` says what failed, if more than that is known. */
  toFailure(error: unknown, message = this.#publishFailed): SinkFailure {
    if (error instanceof CertwireError) return { kind: classOfCode(error).kind, cause: error };
    return { kind: this.#classOf(error).kind, cause: this.toError(error, message) };
  }
}
