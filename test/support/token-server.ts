import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { RestartableServer } from "./restartable-server.ts";

/** What a token server has been asked for. */
export interface TokenQuery {
  readonly grantType: string | null;
  readonly scope: string | null;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The issuer of the tokens, and whom they are for. */
export const issuer = "https://token-server.test";
export const audience = "kafka";

const keyId = "key-1";

/**
 * A token server for the client credentials grant on 127.0.0.1, which signs with RS256. What it answers is set by its
 * fields, also while it runs.
 */
export class TokenServer {
  readonly #key: KeyObject;
  /** The public key, as the broker wants it. */
  readonly jwks: string;
  readonly queries: TokenQuery[] = [];
  clientId = "certwire";
  clientSecret = "S3cret of the client/+&=%";
  lifetimeSeconds = 3600;
  audience = audience;
  /** How long an answer takes, in ms. */
  delayMs = 0;
  issued = 0;
  readonly #server = new RestartableServer(() =>
    createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    }),
  );

  constructor(privateKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey) {
    const publicKey = createPublicKey(privateKey);
    this.#key = privateKey;
    const key = { ...publicKey.export({ format: "jwk" }), kid: keyId, use: "sig", alg: "RS256" };
    this.jwks = JSON.stringify({ keys: [key] });
  }

  /** Another server with the same key. */
  sibling(): TokenServer {
    return new TokenServer(this.#key);
  }

  /** Listens, at the same port as before if it did. */
  start(): Promise<void> {
    return this.#server.start();
  }

  /** Refuses connections until it starts again. */
  stop(): Promise<void> {
    return this.#server.stop();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/token`;
  }

  /** A signed token. */
  token(): string {
    const now = Math.floor(Date.now() / 1000);
    const header = { alg: "RS256", typ: "JWT", kid: keyId };
    const claims = {
      iss: issuer,
      aud: this.audience,
      sub: this.clientId,
      iat: now,
      exp: now + this.lifetimeSeconds,
      jti: `token-${this.issued}`,
    };
    const content = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    return `${content}.${sign("sha256", Buffer.from(content), this.#key).toString("base64url")}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await this.#decide(request);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  }

  async #decide(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const query = await readQuery(request);
    this.queries.push(query);
    if (this.delayMs > 0) await delay(this.delayMs);
    if (query.clientId !== this.clientId || query.clientSecret !== this.clientSecret) {
      const text = `the secret ${query.clientSecret} is wrong`;
      return { status: 401, body: { error: "invalid_client", error_description: text } };
    }
    this.issued += 1;
    const access = { access_token: this.token(), token_type: "Bearer" };
    return { status: 200, body: { ...access, expires_in: this.lifetimeSeconds } };
  }
}

async function readQuery(request: IncomingMessage): Promise<TokenQuery> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const fields = new URLSearchParams(body);
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const pair = basic && Buffer.from(basic, "base64").toString("utf8");
  const [id, secret] = pair ? pair.split(":").map(formDecoded) : [];
  return {
    grantType: fields.get("grant_type"),
    scope: fields.get("scope"),
    clientId: id ?? fields.get("client_id") ?? "",
    clientSecret: secret ?? fields.get("client_secret") ?? "",
  };
}

function formDecoded(text: string): string {
  return new URLSearchParams(`text=${text}`).get("text") ?? "";
}
