import { clock, type Timer } from "../clock.ts";
import { logLine } from "../log/log-line.ts";
import type { AccessToken, FetchToken } from "./access-token.ts";
import { TokenError } from "./token-error.ts";

/** Takes a warning, as pino does. */
export interface TokenLog {
  warn(fields: object, message: string): void;
}

/** A token that is in use. */
interface KeptToken {
  readonly value: string;
  /** When it ends, in ms of the clock. */
  readonly endsAt: number;
  /** When a new one is due, in ms of the clock. */
  readonly renewAt: number;
  /** True once somebody has asked for it. */
  isUsed: boolean;
}

/** A new token is due when this part of the lifetime of the old one is left, and this many ms at least. */
const renewalShare = 0.2;
const leastRenewalMs = 60_000;
/** A token with less left is not given to a connection, which would have to authenticate again at once, in ms. */
const leastLeftMs = 12_000;
/** How long a failure is the answer to whoever asks next, in ms: several connections are often made at once. */
const failureMs = 1000;
/** Longest wait before a renewal that failed is tried again, in ms. */
const mostRetryMs = 30_000;

/**
 * Keeps one token for all connections of a client. Whoever asks while a request for one is under way waits for that
 * request. A token that is in use is renewed in the background before it ends, so that a token endpoint that is down for
 * a while disturbs nobody; one that nobody has asked for since is not.
 */
export class TokenKeeper {
  readonly #fetch: FetchToken;
  readonly #log: TokenLog;
  /** Monotonic, in ms: a step of the system's clock does not change how long a token is valid. */
  readonly #now: () => number;
  #token: KeptToken | undefined;
  #fetching: Promise<KeptToken> | undefined;
  #failure: { readonly error: unknown; readonly until: number } | undefined;
  #timer: Timer | undefined;

  constructor(fetch: FetchToken, log: TokenLog, now: () => number = () => clock.now()) {
    this.#fetch = fetch;
    this.#log = log;
    this.#now = now;
  }

  /** A token that is valid for a while. Rejects with a TokenError. */
  async token(): Promise<string> {
    const kept = this.#token;
    const now = this.#now();
    if (kept !== undefined && now < kept.renewAt) return use(kept);
    try {
      return use(await this.#renew());
    } catch (error) {
      if (kept === undefined || this.#token !== kept || kept.endsAt - this.#now() < leastLeftMs)
        throw error;
      return use(kept);
    }
  }

  /** Forgets a token that a broker has refused; the next one who asks gets another. */
  refused(value: string): void {
    if (this.#token?.value !== value) return;
    this.#token = undefined;
    clock.clear(this.#timer);
  }

  #renew(): Promise<KeptToken> {
    const { error, until = 0 } = this.#failure ?? {};
    if (this.#now() < until) return Promise.reject(error);
    this.#fetching ??= this.#fetchAndKeep().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchAndKeep(): Promise<KeptToken> {
    // A token is valid from when it was issued, which is not before the request.
    const from = this.#now();
    let token: AccessToken;
    try {
      token = await this.#fetch();
    } catch (error) {
      this.#failure = { error, until: this.#now() + failureMs };
      throw error;
    }
    this.#failure = undefined;
    const { value, lifetimeMs } = token;
    const leftMs = Math.max(lifetimeMs * renewalShare, leastRenewalMs);
    const kept = {
      value,
      endsAt: from + lifetimeMs,
      renewAt: from + lifetimeMs - leftMs,
      isUsed: false,
    };
    this.#token = kept;
    this.#renewAfter(kept.renewAt - this.#now());
    return kept;
  }

  /** Tokens that are renewed for each connection anyway need no timer. */
  #renewAfter(ms: number): void {
    clock.clear(this.#timer);
    if (ms <= 0) return;
    this.#timer = clock.setTimeout(() => void this.#renewInBackground(), ms).unref();
  }

  async #renewInBackground(): Promise<void> {
    const kept = this.#token;
    if (kept === undefined || !kept.isUsed) return;
    try {
      await this.#renew();
    } catch (error) {
      const leftMs = kept.endsAt - this.#now();
      const { message, hint } = error as TokenError;
      const leftSeconds = Math.max(0, Math.round(leftMs / 1000));
      logLine(this.#log, "cannot renew the access token", { error: message, hint, leftSeconds });
      if (this.#token === kept && leftMs > failureMs) {
        this.#renewAfter(Math.min(mostRetryMs, Math.max(failureMs, leftMs / 4)));
      }
    }
  }
}

function use(token: KeptToken): string {
  token.isUsed = true;
  return token.value;
}
