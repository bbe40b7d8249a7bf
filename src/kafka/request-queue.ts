import { CertwireError } from "../errors/certwire-error.ts";
import { kafkajsVersion, requestQueueModule } from "./kafkajs-inside.ts";

const supportedVersion = "2.2.4";

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  throttledUntil: number;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/**
 * Replaces the timer of kafkajs's request queue. As shipped it runs every millisecond even when nothing is
 * pending, which costs an idle client about 5 % of a core (https://github.com/tulios/kafkajs/issues/1704),
 * and newer Node versions warn of its negative delay (https://github.com/tulios/kafkajs/issues/1751). The patch
 * depends on the inside of the library, so any other version is refused. Throws CERTWIRE_SINK_CONFIG.
 */
export function patchRequestQueue(): void {
  const version = kafkajsVersion();
  if (version !== supportedVersion) {
    throw new CertwireError(
      "CERTWIRE_SINK_CONFIG",
      `kafkajs ${version} is installed, but only ${supportedVersion} is supported`,
      { hint: `Install kafkajs ${supportedVersion}.` },
    );
  }
  const queue = requestQueueModule() as { prototype: RequestQueue };
  queue.prototype.scheduleCheckPendingRequests = scheduleCheck;
}

function scheduleCheck(this: RequestQueue): void {
  if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
  const throttledMs = this.throttledUntil - Date.now();
  const check = (): void => {
    this.throttleCheckTimeoutId = null;
    this.checkPendingRequests();
  };
  this.throttleCheckTimeoutId = setTimeout(check, throttledMs > 0 ? throttledMs : 10);
}
