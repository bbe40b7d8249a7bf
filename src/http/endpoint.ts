import { createPrivateKey, X509Certificate } from "node:crypto";
import { lstat, unlink } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { connect, type ListenOptions, type Socket } from "node:net";
import type { Logger } from "pino";
import type { HttpOptions } from "../config/http-options.ts";
import { describeError } from "../errors/describe-error.ts";
import { maxPemBytes, readPemFile } from "../files/text-file.ts";
import { logLine } from "../log/log-line.ts";
import { RepeatedLines } from "../log/repeated-lines.ts";
import { pause } from "../pipeline/waiting.ts";
import { kibibyte } from "../units.ts";

/** Connections at a time; a further one is closed at once. */
const maxConnections = 64;
/** How long a client may take for its TLS handshake or request, or let a connection rest, in ms. */
const defaultRequestMs = 5000;
/** How long a client may not read its answer, in ms. */
const idleMs = 10_000;
const checkMs = 1000;
const maxHeaderBytes = 8 * kibibyte;
/** Requests of one connection; then it is closed, so that others get their turn. */
const maxRequests = 1000;

/** How often certificate and key are read again, in ms. */
const renewalCheckMs = 10_000;

/** Delay before a failed start is tried again, in ms: doubled each time up to the second one. */
const retryMs = { first: 1000, last: 30_000 } as const;

/** What an endpoint serves, and where it logs. */
export interface EndpointOptions {
  readonly http: HttpOptions;
  /** Answers a request; its rejection becomes the status 500. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly log: Logger;
  /** Delay before the first retry, in ms. Default 1000. */
  readonly firstRetryMs?: number;
  /** How long a client may take for its TLS handshake or request, or let a connection rest, in ms. Default 5000. */
  readonly requestMs?: number;
  /** How often it is checked for a new certificate, in ms. Default 10000. */
  readonly renewalMs?: number;
}

/**
 * Serves HTTP until the signal is aborted. Never rejects: an address that is in use, or a certificate that cannot be
 * read, is reported and tried again, while events are published as ever.
 */
export async function serveEndpoint(options: EndpointOptions, signal: AbortSignal): Promise<void> {
  const lines = new RepeatedLines(options.log);
  try {
    await keepServing(options, lines, signal);
  } finally {
    lines.close();
  }
}

async function keepServing(
  options: EndpointOptions,
  lines: RepeatedLines,
  signal: AbortSignal,
): Promise<void> {
  const { http, log } = options;
  let delayMs = options.firstRetryMs ?? retryMs.first;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const running = await start(options, lines);
      logLine(log, "the HTTP endpoint listens", { listen: http.listen });
      [delayMs, failures] = [options.firstRetryMs ?? retryMs.first, 0];
      const ended = new AbortController();
      const renewal = renewCertificate(running, options, lines, ended.signal);
      try {
        await closed(running, signal);
      } finally {
        ended.abort();
        await renewal;
      }
    } catch (error) {
      failures += 1;
      const details = { listen: http.listen, failures, delayMs, ...describeError(error) };
      lines.write("the HTTP endpoint cannot listen; events are published all the same", details);
      await pause(delayMs, signal);
      delayMs = Math.min(delayMs * 2, retryMs.last);
    }
  }
}

/** A server that listens. */
interface Running {
  readonly server: Server | TlsServer;
  /** With TLS, what the server uses. */
  readonly pair: KeyPair | undefined;
  /** Every open connection, also one that has sent no request or not finished its TLS handshake. */
  readonly sockets: ReadonlySet<Socket>;
}

async function start(options: EndpointOptions, lines: RepeatedLines): Promise<Running> {
  const { http, answer } = options;
  const handle: RequestListener = (request, response) => {
    answer(request, response).catch((error: unknown) => {
      // Anybody who can connect can make requests that fail.
      lines.write("a request of the HTTP endpoint failed", describeError(error));
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  };
  const pair = options.http.tls && readPair(options.http.tls);
  const server = createOne(options, pair, handle);
  server.maxConnections = maxConnections;
  server.maxRequestsPerSocket = maxRequests;
  server.setTimeout(idleMs);
  server.on("clientError", (_error, socket) => socket.destroy());
  const sockets = openSockets(server);
  if ("path" in http.address) await removeStale(http.address.path);
  await listening(server, http.address);
  return { server, pair, sockets };
}

/** A certificate with its intermediate ones, and its key; both in PEM. */
interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/**
 * Throws an error of the file system or a CertwireError, or where they do not belong together: Node would accept that of
 * other kinds of keys.
 */
function readPair({ certificateFile, privateKey }: NonNullable<HttpOptions["tls"]>): KeyPair {
  const pair = { cert: readPemFile(certificateFile, maxPemBytes), key: privateKey() };
  if (!new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key))) {
    throw new Error("the key does not belong to the certificate");
  }
  return pair;
}

/**
 * Uses a new certificate and key for new connections soon after they were written. Both are written one after the other, so a
 * pair that does not fit, or cannot be read, is reported only when it stays so.
 */
async function renewCertificate(
  { server, pair }: Running,
  { http: { tls, listen }, log, renewalMs = renewalCheckMs }: EndpointOptions,
  lines: RepeatedLines,
  signal: AbortSignal,
): Promise<void> {
  if (tls === undefined || pair === undefined || !("setSecureContext" in server)) return;
  let used = pair;
  let failures = 0;
  while (!signal.aborted) {
    await pause(renewalMs, signal);
    if (signal.aborted) return;
    try {
      const found = readPair(tls);
      if (found.cert !== used.cert || found.key !== used.key) {
        server.setSecureContext(found);
        used = found;
        logLine(log, "the HTTP endpoint uses a new certificate", { listen });
      }
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures > 1)
        lines.write("cannot use the HTTP endpoint's new certificate", describeError(error));
    }
  }
}

function openSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}

function createOne(
  options: EndpointOptions,
  pair: KeyPair | undefined,
  handle: RequestListener,
): Server | TlsServer {
  const requestMs = options.requestMs ?? defaultRequestMs;
  const limits: ServerOptions = {
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    keepAliveTimeout: requestMs,
    connectionsCheckingInterval: checkMs,
    maxHeaderSize: maxHeaderBytes,
  };
  if (pair === undefined) return createServer(limits, handle);
  const server = createTlsServer({ ...limits, ...pair, handshakeTimeout: requestMs }, handle);
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

function listening(server: Server, address: HttpOptions["address"]): Promise<void> {
  const options: ListenOptions =
    "path" in address ? { path: address.path } : { host: address.host, port: address.port };
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...options, exclusive: true }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Resolves when the server has ended, by the signal or by itself. */
async function closed({ server, sockets }: Running, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      server.close();
      // `closeAllConnections` does not know a client that has not finished its TLS handshake.
      for (const socket of sockets) socket.destroy();
    };
    server.once("close", () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    server.on("error", (error) => {
      stop();
      reject(error);
    });
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
}

/** A socket of a process that was killed is in the way of the next one; nothing else is removed. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true) return;
  const isServed = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => resolve(true)).on("error", (error) =>
      resolve((error as NodeJS.ErrnoException).code !== "ECONNREFUSED"),
    );
    socket.on("connect", () => socket.destroy());
  });
  if (!isServed) await unlink(path);
}
