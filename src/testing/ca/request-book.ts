import type { CertwireEvent } from "../../events/event.ts";
import type { RequestRow } from "../../simulate/request-row.ts";
import { usageError } from "./usage-error.ts";

/** A request or certificate of the CA: an event about it, or the request ID. */
export type RequestReference = number | Pick<CertwireEvent, "specversion" | "data">;

/** What has become of a request. */
export type RequestState = "pending" | "issued" | "held" | "revoked" | "denied" | "failed";

/** The requests of a test CA and their state. */
export class RequestBook {
  readonly #rows = new Map<number, { readonly row: RequestRow; readonly state: RequestState }>();
  #lastId = 0;

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
