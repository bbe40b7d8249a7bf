// In your project: import ... from "certwire/consumer".
import {
  type CertwireEvent,
  Consumer,
  type EventSource,
  type Handlers,
  type TypedEvent,
} from "../../src/consumer/index.ts";

/** What the inventory knows about a certificate. */
export interface InventoryEntry {
  readonly serialNumber: string;
  readonly subject: string;
  readonly notAfter: string;
  readonly state: "valid" | "on hold" | "revoked";
}

type CertificateEvent = TypedEvent<
  "certificate.issued" | "certificate.imported" | "certificate.revoked" | "certificate.unrevoked"
>;

/** An example of a consumer: it tracks which certificates are valid. */
export class CertificateInventory {
  readonly #entries = new Map<string, InventoryEntry>();
  readonly #handled: (event: CertwireEvent) => void;

  /** `handled` is called after each event, so that a test can wait for it. Default nothing. */
  constructor(handled: (event: CertwireEvent) => void = () => undefined) {
    this.#handled = handled;
  }

  get entries(): readonly InventoryEntry[] {
    return [...this.#entries.values()];
  }

  /** What happens with each kind of event; the consumer passes over all others. */
  get handlers(): Handlers {
    const set = (state: InventoryEntry["state"]) => (event: CertificateEvent) => {
      this.#set(event, state);
      this.#handled(event);
    };
    return {
      "certificate.issued": set("valid"),
      "certificate.imported": set("valid"),
      "certificate.unrevoked": set("valid"),
      "certificate.revoked": (event) =>
        set(event.data.revocation?.reason === "certificateHold" ? "on hold" : "revoked")(event),
    };
  }

  /** A consumer that fills the inventory. Delivery is at least once: an event that is redelivered sets the same state. */
  consumer(source: EventSource): Consumer {
    return new Consumer({ source, handlers: this.handlers });
  }

  #set({ data: { certificate } }: CertificateEvent, state: InventoryEntry["state"]): void {
    const { serialNumber, notAfter, subject } = certificate ?? {};
    if (serialNumber === undefined || notAfter === undefined) return;
    const name = subject?.distinguishedName ?? "";
    this.#entries.set(serialNumber, { serialNumber, subject: name, notAfter, state });
  }
}
