import { CertwireError } from "../../errors/certwire-error.ts";
import type { CertwireEvent, EventKind } from "../../events/event.ts";
import { isOwnType } from "../../events/event-kind.ts";
import { requestIdOf } from "../../events/selection.ts";
import { isKind, type TypedEvent } from "../../events/typed-event.ts";
import type { EventInbox } from "./inbox.ts";
import { differenceOf, type Pattern } from "./pattern.ts";

/** How long an event is waited for. */
export interface ExpectOptions {
  /** Longest wait, in ms. Default 30 000. */
  readonly timeoutMs?: number;
}

/** Some members of the expected event, or a function that is true for it. */
export type EventPattern<K extends EventKind> =
  | Pattern<TypedEvent<K>>
  | ((event: TypedEvent<K>) => boolean);

const defaultTimeoutMs = 30_000;

/** Most events that an error lists. */
const listed = 20;

/**
 * Waits until an inbox has an event of a kind that fits, and resolves with the first one; one that came before counts
 * too. Rejects with CERTWIRE_TESTING_NO_EVENT, whose message lists what came and what is different about it, if none
 * comes in time or the consumer has failed; with the error of a pattern that throws.
 *
 * ```js
 * import { EventInbox, expectEvent, testCa } from "certwire/testing";
 *
 * const inbox = new EventInbox();
 * const ca = testCa();
 * const revoked = ca.revoke(ca.issue(), { reason: "keyCompromise" });
 * inbox.add(revoked);
 * const { data } = await expectEvent(inbox, "certificate.revoked", { id: revoked.id });
 * console.log(data.revocation.reason);
 * ```
 */
export async function expectEvent<K extends EventKind>(
  inbox: EventInbox,
  kind: K,
  pattern: EventPattern<K> = {},
  { timeoutMs = defaultTimeoutMs }: ExpectOptions = {},
): Promise<TypedEvent<K>> {
  const find = () => inbox.events.find((event) => fits(event, kind, pattern));
  const found = find() ?? (await waitFor(inbox, find, timeoutMs));
  if (found === undefined) throw notFound(inbox, kind, pattern, timeoutMs);
  return found as TypedEvent<K>;
}

function waitFor<T>(
  inbox: EventInbox,
  find: () => T | undefined,
  timeoutMs: number,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      unwatch();
    };
    const timer = setTimeout(() => {
      end();
      resolve(undefined);
    }, timeoutMs);
    const look = (): void => {
      try {
        const found = find();
        if (found === undefined && inbox.failure === undefined) return;
        end();
        resolve(found);
      } catch (error) {
        // The pattern is the test's own: its error must not reach the consumer that adds the event.
        end();
        reject(error);
      }
    };
    const unwatch = inbox.watch(look);
    look();
  });
}

function fits<K extends EventKind>(
  event: CertwireEvent,
  kind: K,
  pattern: EventPattern<K>,
): boolean {
  if (!isOwnType(event.type) || !isKind(event, kind)) return false;
  return typeof pattern === "function"
    ? pattern(event)
    : differenceOf(event, pattern) === undefined;
}

function notFound<K extends EventKind>(
  inbox: EventInbox,
  kind: K,
  pattern: EventPattern<K>,
  timeoutMs: number,
): CertwireError {
  const { events, failure } = inbox;
  const why = failure
    ? `the consumer failed: ${failure.message}`
    : `none came within ${timeoutMs} ms`;
  const came = events.slice(-listed).map((event) => `  ${lineOf(event, kind, pattern)}`);
  const omitted = events.length > listed ? [`  ... and ${events.length - listed} before`] : [];
  const message = [
    `no ${kind} fits: ${why}; ${events.length === 0 ? "no event came" : `${events.length} came:`}`,
    ...omitted,
    ...came,
  ].join("\n");
  return new CertwireError("CERTWIRE_TESTING_NO_EVENT", message, { cause: failure });
}

/** One event that came, and what is different about it if it is of the expected kind. */
function lineOf<K extends EventKind>(
  event: CertwireEvent,
  kind: K,
  pattern: EventPattern<K>,
): string {
  const requestId = requestIdOf(event);
  const parts = [event.time, event.type, event.subject, requestId && `request ${requestId}`];
  const isExpected = isOwnType(event.type) && isKind(event, kind) && typeof pattern === "object";
  const difference = isExpected ? differenceOf(event, pattern) : undefined;
  return [...parts.filter(Boolean), ...(difference ? [`(${difference})`] : [])].join(" ");
}
