import type { IncomingMessage, ServerResponse } from "node:http";
import { clock, type Timer } from "../clock.ts";
import { jsonText } from "../events/json-text.ts";
import type { Status } from "../health/status.ts";
import type { HistoryPoint } from "../service/history.ts";
import type { Observation } from "../service/live-status.ts";
import type { RecentEvent } from "../service/recent-events.ts";

/** Where the feed takes its figures from. */
export interface LiveFeedOptions {
  /** Never rejects. */
  readonly observe: () => Promise<Observation>;
  /** The points of the last hour after a time, in ms since 1970; all without one. */
  readonly history: (sinceMs?: number) => readonly HistoryPoint[];
  /** The newest records of the journal, the newest first. */
  readonly recentEvents: () => Promise<readonly RecentEvent[]>;
  /** How often the clients get an update, in ms. Default 2000. */
  readonly intervalMs?: number;
  /** Called with an error that is a fault of this program: nobody gets an update then. */
  readonly failed: (error: unknown) => void;
}

/** What a client gets with every update, as JSON in a server-sent event. */
export interface Update {
  readonly status: Status;
  /** Points that this client does not have. */
  readonly history: readonly HistoryPoint[];
  /** The newest first; absent if they cannot be read. */
  readonly recentEvents?: readonly RecentEvent[];
  /** True if `recentEvents` have names of people. */
  readonly hasNames: boolean;
}

/** Clients at a time: each takes one of the connections of the endpoint. */
export const maxClients = 8;

/** What the parts of an update are made of, in JSON. */
interface Parts {
  readonly status: string;
  /** The latest events with names or without them, made when the first client needs them; absent if they cannot be read. */
  readonly events?: (hasNames: boolean) => string;
}

/** How a client is served. */
interface Terms {
  /** True if its events have the names of people. */
  readonly hasNames: boolean;
  /** False once it must not get more, for instance because the token is another one. */
  readonly isAllowed: () => boolean;
}

interface Client extends Terms {
  readonly response: ServerResponse;
  /** Time of the newest point that it has, in ms since 1970. */
  pointMs: number | undefined;
}

/**
 * Sends the status to browsers for as long as they listen. An update is made once for all of them, and only while there
 * is one. A client that does not read gets none until it has read the last one; the endpoint closes its connection in the end.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #clients = new Set<Client>();
  #timer: Timer | undefined;
  #isSending = false;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  /** True if no further client gets in. */
  get isFull(): boolean {
    return this.#clients.size >= maxClients;
  }

  /** Sends updates to a client, whose head is written, until its connection ends. */
  join(request: IncomingMessage, response: ServerResponse, terms: Terms): void {
    // A connection may have ended since its request came, and would not say so again.
    if (response.destroyed) return;
    const client: Client = { response, ...terms, pointMs: undefined };
    this.#clients.add(client);
    // Both, since a connection may end without one of them.
    for (const stream of [request, response]) {
      stream.once("close", () => this.#leave(client));
      stream.on("error", () => this.#leave(client));
    }
    const { intervalMs = 2000, failed } = this.#options;
    const send = (): void => void this.#send().catch(failed);
    this.#timer ??= clock.setInterval(send, intervalMs);
    send();
  }

  #leave(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    clock.clear(this.#timer);
    this.#timer = undefined;
  }

  async #send(): Promise<void> {
    // A disk that hangs must not pile up updates, nor look like a dead connection.
    if (this.#isSending) {
      for (const client of this.#ready()) client.response.write(":\n\n");
      return;
    }
    this.#isSending = true;
    try {
      const { observe, recentEvents } = this.#options;
      const { status } = await observe();
      const events = await recentEvents().catch(() => undefined);
      const parts = {
        status: jsonText(status),
        ...(events && { events: eventTexts(events) }),
      };
      for (const client of this.#ready()) this.#update(client, parts);
    } finally {
      this.#isSending = false;
    }
  }

  #update(client: Client, { status, events }: Parts): void {
    const { response, hasNames, isAllowed } = client;
    if (!isAllowed()) {
      this.#leave(client);
      response.end();
      return;
    }
    const points = this.#options.history(client.pointMs);
    client.pointMs = points.at(-1)?.timeMs ?? client.pointMs;
    const members = [
      `"status":${status}`,
      `"history":${jsonText(points)}`,
      ...(events === undefined ? [] : [`"recentEvents":${events(hasNames)}`]),
      `"hasNames":${hasNames}`,
    ];
    response.write(`data: {${members.join(",")}}\n\n`);
  }

  /** The clients that have read what they got. */
  #ready(): Client[] {
    return [...this.#clients].filter(({ response }) => !response.writableNeedDrain);
  }
}

/** Makes each of the two texts of events at most once, and only if somebody asks for it. */
function eventTexts(events: readonly RecentEvent[]): (hasNames: boolean) => string {
  const texts: { named?: string; plain?: string } = {};
  return (hasNames) =>
    hasNames
      ? (texts.named ??= jsonText(events))
      : (texts.plain ??= jsonText(events.map((event) => ({ ...event, names: undefined }))));
}
