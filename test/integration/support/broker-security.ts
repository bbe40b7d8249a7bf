import type { TestCertificates } from "./test-certificates.ts";

/** Listeners with TLS besides the open one, at the name `localhost`. */
export interface BrokerSecurity {
  readonly certificates: TestCertificates;
  /** The user that the broker is made with. */
  readonly username: string;
  /** Letters and digits only. */
  readonly password: string;
  /** Whose tokens Kafka accepts. Default: it has no listener for tokens. */
  readonly tokens?: TrustedTokens;
}

/** Whose tokens a broker accepts, and for whom they must be. */
export interface TrustedTokens {
  /** Public keys, as JSON. */
  readonly jwks: string;
  readonly issuer: string;
  readonly audience: string;
}
