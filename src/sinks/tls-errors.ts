import type { ErrorCode } from "../errors/codes.ts";

/** What is wrong about a connection with TLS, and what to do. */
export interface TlsFault {
  readonly kind: "auth" | "config";
  readonly code: ErrorCode;
  readonly hint: string;
}

/** What Node's codes begin with; the first row that fits counts. */
const faults: readonly (readonly [RegExp, TlsFault])[] = [
  [
    // An alert comes from the other side: it is about the client's certificate.
    /^ERR_SSL_.*ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/,
    {
      kind: "auth",
      code: "CERTWIRE_SINK_AUTH",
      hint: "The broker demands a client certificate that it trusts: see tls.certificateFile and tls.privateKey.",
    },
  ],
  [
    /^ERR_TLS_CERT_ALTNAME/,
    config(
      "Use a host in the URL that the broker's certificate names, or put such a name into tls.serverName.",
    ),
  ],
  [
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)/,
    config("Renew the certificate of the broker or its CA, or set this machine's clock right."),
  ],
  [
    /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/,
    config("Put the certificate of the CA that issued the broker's into the file of tls.caFile."),
  ],
  [
    /^(ERR_TLS|ERR_SSL|EPROTO)/,
    config("Check that the port is the broker's port with TLS, in a version that both sides know."),
  ],
];

/** What Node's code of a failed connection says about TLS; `undefined` where it is about something else. */
export function tlsFaultOf(code: unknown): TlsFault | undefined {
  if (typeof code !== "string") return undefined;
  return faults.find(([pattern]) => pattern.test(code))?.[1];
}

function config(hint: string): TlsFault {
  return { kind: "config", code: "CERTWIRE_SINK_CONFIG", hint };
}
