import type { CertwireError } from "../errors/certwire-error.ts";
import type { CertwireEvent } from "../events/event.ts";
import type { ReceivedMessage } from "./message.ts";

/** A message that no handler can take. */
export interface DeadLetter {
  readonly message: ReceivedMessage;
  /** The event in the message; absent if the message is not an event of Certwire. */
  readonly event?: CertwireEvent;
  /** CERTWIRE_MESSAGE_INVALID, or CERTWIRE_HANDLER_FAILED with the handler's last error as `cause`. */
  readonly error: CertwireError;
}

/**
 * Keeps a dead letter. The message is acknowledged once this resolves; when it throws, it is called again after a
 * delay, as a handler is.
 */
export type DeadLetterHook = (letter: DeadLetter) => Promise<void> | void;
