import type { ErrorCode } from "../errors/codes.ts";

/** A fault of a TLS connection, and what to do. */
export interface TlsFault {
  readonly kind: "auth" | "config";
  readonly code: ErrorCode;
  readonly hint: string;
}

/** Patterns of Node's error codes; the first row that matches applies. */
const faults: readonly (readonly [RegExp, TlsFault])[] = [
  [
    // An alert comes from the broker: it is about the client's certificate.
    /^ERR_SSL_.*ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/,
    {
      kind: "auth",
      code: "CERTWIRE_SINK_AUTH",
      hint: "The broker requires a client certificate that it trusts: set tls.certificateFile and tls.privateKey.",
    },
  ],
  [
    /^ERR_TLS_CERT_ALTNAME/,
    config(
      "Use a host name that the broker's certificate contains in the URL, or set tls.serverName to such a name.",
    ),
  ],
  [
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)/,
    config("Renew the certificate of the broker or of its CA, or correct this machine's clock."),
  ],
  [
    /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/,
    config(
      "Add the certificate of the CA that issued the broker's certificate to the file in tls.caFile.",
    ),
  ],
  [
    /^(ERR_TLS|ERR_SSL|EPROTO)/,
    config(
      "Check that this is the broker's port with TLS, and that both sides support a common TLS version.",
    ),
  ],
];

/** The TLS fault that Node's code of a failed connection stands for; `undefined` for other codes. */
export function tlsFaultOf(code: unknown): TlsFault | undefined {
  if (typeof code !== "string") return undefined;
  return faults.find(([pattern]) => pattern.test(code))?.[1];
}

function config(hint: string): TlsFault {
  return { kind: "config", code: "CERTWIRE_SINK_CONFIG", hint };
}
