import type { Update } from "../src/http/live-feed.ts";

/** How the connection to the service is. */
export type Connection =
  | { readonly state: "connecting" | "live" }
  /** The endpoint wants a token, or another one. */
  | { readonly state: "locked"; readonly wasRefused: boolean }
  | { readonly state: "lost"; readonly reason: string };

/** What the stream reports, and how it asks. */
export interface StreamOptions {
  readonly token: string;
  /** True to ask for the names of people in events. */
  readonly wantsNames: boolean;
  readonly updated: (update: Update) => void;
  readonly changed: (connection: Connection) => void;
}

/** The service sends something every 2 s. */
const silenceMs = 15_000;
const pauses = { firstMs: 1000, lastMs: 10_000 };

/** Receives updates until the signal is aborted; a connection that ends is made anew. */
export async function follow(options: StreamOptions, signal: AbortSignal): Promise<void> {
  let pauseMs = pauses.firstMs;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const abort = (): void => attempt.abort();
    signal.addEventListener("abort", abort);
    try {
      const isOpen = await receive(options, attempt, () => {
        pauseMs = pauses.firstMs;
      });
      if (!isOpen) return;
      options.changed({ state: "lost", reason: "The service closed the connection." });
    } catch (error) {
      if (signal.aborted) return;
      options.changed({ state: "lost", reason: reasonOf(error) });
    } finally {
      signal.removeEventListener("abort", abort);
      attempt.abort();
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, pauses.lastMs);
  }
}

/** A reason that a person can read. */
class Refusal extends Error {}

function reasonOf(error: unknown): string {
  return error instanceof Refusal ? error.message : "The service is not responding.";
}

/** Resolves when the connection has ended; false if the endpoint wants another token. */
async function receive(
  { token, wantsNames, updated, changed }: StreamOptions,
  attempt: AbortController,
  opened: () => void,
): Promise<boolean> {
  const answer = await fetch(`/events?names=${wantsNames ? "shown" : "hidden"}`, {
    headers: token === "" ? {} : { authorization: `Bearer ${token}` },
    cache: "no-store",
    signal: attempt.signal,
  });
  if (answer.status === 401) {
    changed({ state: "locked", wasRefused: token !== "" });
    return false;
  }
  if (answer.status !== 200 || answer.body === null) {
    throw new Refusal(`The service answers ${answer.status}: ${(await answer.text()).trim()}.`);
  }
  let silence = setTimeout(() => attempt.abort(), silenceMs);
  try {
    // Safari cannot iterate over a stream.
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value: part, done } = await reader.read();
      if (done) return true;
      clearTimeout(silence);
      silence = setTimeout(() => attempt.abort(), silenceMs);
      const messages = `${text}${part}`.split("\n\n");
      text = messages.pop() ?? "";
      for (const message of messages) {
        if (!message.startsWith("data: ")) continue;
        opened();
        changed({ state: "live" });
        updated(JSON.parse(message.slice("data: ".length)) as Update);
      }
    }
  } finally {
    clearTimeout(silence);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
