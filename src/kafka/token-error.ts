/**
 * Why there is no token, or none that the broker takes:
 * - `unreachable`: the token endpoint does not answer, or only that it cannot now;
 * - `refused`: the client's credentials or rights were refused;
 * - `config`: a setting here or there is wrong.
 */
export type TokenErrorKind = "unreachable" | "refused" | "config";

/** There is no token for a broker. The message never holds a secret or a token. */
export class TokenError extends Error {
  readonly kind: TokenErrorKind;
  /** What to do. */
  readonly hint: string;

  constructor(kind: TokenErrorKind, message: string, hint: string) {
    super(message);
    // Only after an error of this name kafkajs makes a new connection for its next try. On the old one the broker has
    // seen half of an authentication, and refuses another.
    this.name = kind === "unreachable" ? "KafkaJSConnectionError" : "TokenError";
    this.kind = kind;
    this.hint = hint;
  }

  /** Read by kafkajs, which tries again, and whose consumers start again, only after such an error. */
  get retriable(): boolean {
    return this.kind === "unreachable";
  }
}
