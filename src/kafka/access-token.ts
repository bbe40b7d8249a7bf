/** A bearer token. */
export interface AccessToken {
  /** Secret: whoever has it is this client until it ends. */
  readonly value: string;
  /** How long it is valid from when it was issued, in ms. */
  readonly lifetimeMs: number;
}

/** Gets a new token. Rejects with a TokenError. */
export type FetchToken = () => Promise<AccessToken>;
