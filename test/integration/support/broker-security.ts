import type { TestCertificates } from "./test-certificates.ts";

/** Listeners with TLS besides the open one, at the name `localhost`. */
export interface BrokerSecurity {
  readonly certificates: TestCertificates;
  /** The user that the broker is made with. */
  readonly username: string;
  /** Letters and digits only. */
  readonly password: string;
}
