import type { CertwireEvent } from "./certwire.ts";

/** What a SIEM said of one event. */
export type Outcome =
  /** It has the event. */
  | { readonly kind: "accepted" }
  /** It will never take the event. */
  | { readonly kind: "refused"; readonly reason: string }
  /** It does not take the event now. `needsPerson`: waiting alone does not help. */
  | { readonly kind: "later"; readonly reason: string; readonly needsPerson: boolean }
  /** It does not take the request as a whole, for something in it; a smaller one shows what. */
  | { readonly kind: "divide"; readonly reason: string };

/** Where events go. */
export interface Siem {
  /** What an event becomes in the body of a request. */
  encode(event: CertwireEvent): string;
  /** Sends events in one request; an outcome for each, in their order. Rejects if there is no answer. */
  send(parts: readonly string[]): Promise<readonly Outcome[]>;
}

export const accepted: Outcome = { kind: "accepted" };

/** The same outcome for each part of a request. */
export function forAll(parts: readonly string[], outcome: Outcome): readonly Outcome[] {
  return parts.map(() => outcome);
}
