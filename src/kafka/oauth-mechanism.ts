import { Buffer } from "node:buffer";
import type { AuthenticationProviderArgs, Mechanism } from "kafkajs";
import { TokenError } from "./token-error.ts";
import type { TokenKeeper } from "./token-keeper.ts";

/** Further fields that a broker wants with the token, such as `logicalCluster` of Confluent Cloud. */
export type SaslExtensions = Readonly<Record<string, string>>;

const separator = "\u0001";
const extensionName = /^[a-zA-Z]+$/;
const extensionValue = /^[\x21-\x7e \t\r\n]*$/;

const refusedHint =
  "Check that the broker trusts the issuer of the token, that audience and scope are what it expects, and that its clock and that of the token server agree.";

/** What is wrong with SASL extensions (RFC 7628, 3.1); `undefined` if nothing is. */
export function extensionsProblem(extensions: SaslExtensions): string | undefined {
  for (const [name, value] of Object.entries(extensions)) {
    if (!extensionName.test(name) || name === "auth") return "names are letters only, and not auth";
    if (!extensionValue.test(value)) return "values are printable ASCII";
  }
  return undefined;
}

/**
 * SASL OAUTHBEARER (RFC 7628) for kafkajs, which calls it for each connection and again before a session ends. That of
 * kafkajs itself does not read the broker's answer: a token that is refused looks accepted, and what fails is the next
 * request, by a closed connection.
 */
export function oauthMechanism(keeper: TokenKeeper, extensions: SaslExtensions = {}): Mechanism {
  return {
    mechanism: "OAUTHBEARER",
    authenticationProvider: ({ host, port, saslAuthenticate }) => ({
      authenticate: async () => {
        const token = await keeper.token();
        const send = (text: string): Promise<Buffer> => exchange(saslAuthenticate, text);
        let reason: unknown;
        try {
          const answer = await send(initialResponse(token, extensions));
          if (answer.length === 0) return;
          reason = statusOf(answer);
          // The broker says why, and refuses once this client has answered.
          await send(separator);
        } catch (error) {
          if (Object(error).type !== "SASL_AUTHENTICATION_FAILED") throw error;
          reason ??= (error as Error).message;
        }
        keeper.refused(token);
        const message = `${host}:${port} refuses the access token: ${shown(reason, token)}`;
        throw new TokenError("refused", message, refusedHint);
      },
    }),
  };
}

function initialResponse(token: string, extensions: SaslExtensions): string {
  const fields = Object.entries(extensions).map(([name, value]) => `${name}=${value}`);
  return ["n,,", `auth=Bearer ${token}`, ...fields, "", ""].join(separator);
}

/** Sends one message of the mechanism; the answer to it, empty if there is none. */
async function exchange(
  saslAuthenticate: AuthenticationProviderArgs["saslAuthenticate"],
  text: string,
): Promise<Buffer> {
  const answer = await saslAuthenticate<Buffer>({
    request: { encode: () => sized(text) },
    response: { decode: unsized, parse: (body) => body },
  });
  return answer ?? Buffer.alloc(0);
}

/** As BYTES of the protocol: a length, then the bytes. */
function sized(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}

function unsized(bytes: Buffer): Buffer {
  return bytes.length > 4 ? bytes.subarray(4) : Buffer.alloc(0);
}

function statusOf(answer: Buffer): string {
  const text = answer.toString("utf8");
  try {
    const { status } = Object(JSON.parse(text)) as { status?: unknown };
    return typeof status === "string" ? status : text;
  } catch {
    return text;
  }
}

function shown(reason: unknown, token: string): string {
  const text = String(reason).replaceAll(token, "***");
  return text.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, 300);
}
