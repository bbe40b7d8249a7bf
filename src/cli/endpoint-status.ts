import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { HttpOptions } from "../config/http-options.ts";
import { type Status, statusSchema } from "../health/status.ts";
import { readBody } from "../read-body.ts";
import { mebibyte } from "../units.ts";

/** How long a service has for its answer, in ms. */
const answerMs = 3000;
/** Largest answer that is read, in bytes. */
const mostBytes = 4 * mebibyte;

/**
 * Asks the HTTP endpoint of a running service for its status. Rejects with an Error if none answers, or something else
 * than a status of this version.
 */
export async function statusOfEndpoint(http: HttpOptions): Promise<Status> {
  const signal = AbortSignal.timeout(answerMs);
  const socket = await connected(http, signal);
  try {
    const response = await answerOf(http, socket, signal);
    const body = await readBody(response, mostBytes, () => new Error("its answer is too long"));
    if (response.statusCode !== 200) throw new Error(`it answers ${response.statusCode}`);
    const parsed = statusSchema.safeParse(JSON.parse(body));
    if (!parsed.success)
      throw new Error("its status has another form: is its version another one?");
    return parsed.data;
  } finally {
    socket.destroy();
  }
}

function answerOf(
  { token }: HttpOptions,
  socket: Socket,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const headers = {
    host: "localhost",
    connection: "close",
    ...(token && { authorization: `Bearer ${token()}` }),
  };
  return new Promise((resolve, reject) => {
    request({ path: "/status", headers, signal, createConnection: () => socket })
      .once("response", resolve)
      .once("error", reject)
      .end();
  });
}

function connected({ address, tls }: HttpOptions, signal: AbortSignal): Promise<Socket> {
  const where: NetConnectOpts = "path" in address ? { path: address.path } : reachable(address);
  return new Promise((resolve, reject) => {
    if (tls === undefined) {
      const socket = connect({ ...where, signal }, () => resolve(socket)).once("error", reject);
      return;
    }
    // It must have the very certificate of the configuration, so neither its issuer nor its names matter.
    const wanted = new X509Certificate(readFileSync(tls.certificateFile)).fingerprint256;
    const socket = connectTls({ ...where, rejectUnauthorized: false }, () => {
      if (isCertificate(socket, wanted)) return resolve(socket);
      socket.destroy();
      reject(new Error("it has another certificate than the configuration"));
    }).once("error", reject);
    signal.addEventListener("abort", () => socket.destroy(signal.reason as Error), { once: true });
  });
}

function isCertificate(socket: TLSSocket, fingerprint: string): boolean {
  return socket.getPeerX509Certificate()?.fingerprint256 === fingerprint;
}

/** An address for every interface is one of this machine. */
function reachable({ host, port }: { readonly host: string; readonly port: number }) {
  const own: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  return { host: own[host] ?? host, port };
}
