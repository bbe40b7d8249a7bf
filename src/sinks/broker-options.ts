import { z } from "zod";
import type { ResolveContext } from "./secret-reference.ts";
import type { SinkFinding } from "./sink-kind.ts";
import { type ResolvedTlsOptions, resolveTls, tlsOptions } from "./tls-options.ts";

/** How an event is written into a message. */
export type ContentMode = "structured" | "binary";

/** The keys of a sink that publishes to a broker. `tlsScheme`: scheme of its URLs with TLS. */
export function brokerShape(tlsScheme: string) {
  return {
    mode: z
      .enum(["structured", "binary"])
      .default("structured")
      .describe(
        "CloudEvents content mode: `structured` puts the whole event into the body, `binary` its attributes into headers.",
      ),
    tls: tlsOptions.optional().describe(`TLS options; need a \`${tlsScheme}://\` URL.`),
    connectTimeoutMs: z
      .int()
      .min(100)
      .max(300_000)
      .default(10_000)
      .describe("Longest wait for a connection, in ms."),
  };
}

/** The resolved options of a sink that publishes to a broker. */
export interface ResolvedBrokerOptions {
  /** CloudEvents content mode. Default `structured`. */
  readonly mode: ContentMode;
  /** Present exactly when the URL asks for TLS. */
  readonly tls?: ResolvedTlsOptions;
  /** Longest wait for a connection, in ms. Default 10000. */
  readonly connectTimeoutMs: number;
}

type BrokerEntry = z.infer<z.ZodObject<ReturnType<typeof brokerShape>>>;

/** Resolves the keys of `brokerShape`. `isSecure`: the URL asks for TLS. */
export function resolveBroker(
  { mode, tls = {}, connectTimeoutMs }: BrokerEntry,
  isSecure: boolean,
  context: ResolveContext,
): ResolvedBrokerOptions {
  return { mode, connectTimeoutMs, ...(isSecure && { tls: resolveTls(tls, context) }) };
}

/** Warns of a password that is sent without TLS; `tlsScheme` is that of a URL with it. */
export function passwordInClear(path: readonly string[], tlsScheme: string): SinkFinding {
  const message = "the password crosses the network in clear text";
  return { path, isWarning: true, message, hint: `Use ${tlsScheme}:// in the URL.` };
}

/** Warns of a SCRAM exchange without TLS: it holds no password, but whoever records it can try some offline. */
export function scramInClear(path: readonly string[], tlsScheme: string): SinkFinding {
  const message = "the SCRAM exchange crosses the network in clear text";
  const hint = `Use ${tlsScheme}:// in the URL: a password can be guessed offline from the exchange.`;
  return { path, isWarning: true, message, hint };
}

/** Warns of a token that is sent without TLS. */
export function tokenInClear(path: readonly string[], tlsScheme: string): SinkFinding {
  const message = "the access token crosses the network in clear text";
  return { path, isWarning: true, message, hint: `Use ${tlsScheme}:// in the URL.` };
}
