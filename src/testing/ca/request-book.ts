import type { CertwireEvent } from "../../events/event.ts";
import type { RequestRow } from "../../simulate/request-row.ts";
import { usageError } from "./usage-error.ts";

/** A request or certificate of the CA: an event about it, or the request ID. */
export type RequestReference = number | Pick<CertwireEvent, "specversion" | "source" | "data">;

/** What can become of a request. */
export const requestStates = ["pending", "issued", "held", "revoked", "denied", "failed"] as const;

/** What has become of a request. */
export type RequestState = (typeof requestStates)[number];

/** The requests of a test CA and their state. */
export class RequestBook {
  readonly #rows = new Map<number, { readonly row: RequestRow; readonly state: RequestState }>();
  readonly #isForeign: (source: string) => boolean;
  #lastId = 0;

  /** `isForeign` is true for the source of events of another CA. */
  constructor(isForeign: (source: string) => boolean) {
    this.#isForeign = isForeign;
  }

  /** The ID of the next request, from 1. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Remembers what has become of a request. */
  set(row: RequestRow, state: RequestState): void {
    this.#rows.set(row.requestId, { row, state });
  }

  /**
   * The row of a request, which must be in one of `states`. `call` is the name of the call that needs it. Throws
   * CERTWIRE_TESTING_OPTIONS.
   */
  get(reference: RequestReference, states: readonly RequestState[], call: string): RequestRow {
    const id = requestIdOf(reference);
    // Each CA counts its requests from 1.
    if (typeof reference !== "number" && this.#isForeign(reference.source)) {
      throw usageError(`${call}: the event is of another CA, ${reference.source}`);
    }
    const found = id === undefined ? undefined : this.#rows.get(id);
    if (found === undefined) throw usageError(`${call}: this CA has no request ${id ?? "like it"}`);
    if (!states.includes(found.state)) {
      throw usageError(`${call}: request ${id} is ${found.state}, not ${states.join(" or ")}`);
    }
    return found.row;
  }
}

function requestIdOf(reference: RequestReference): number | undefined {
  if (typeof reference === "number") return reference;
  const { requestId } = Object(reference.data["request"]) as { requestId?: unknown };
  return typeof requestId === "number" ? requestId : undefined;
}
