import { createRequire } from "node:module";
import { CertwireError } from "../../errors/certwire-error.ts";

const require = createRequire(import.meta.url);
const supportedVersion = "2.2.4";

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  throttledUntil: number;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/**
 * Replaces the timer of kafkajs's request queue, which as shipped runs every millisecond for ever, also
 * when nothing is pending (and with a negative delay on newer Node versions). The change reaches into the
 * library, so any other version of it is refused.
 */
export function patchRequestQueue(): void {
  const { version } = require("kafkajs/package.json") as { version: string };
  if (version !== supportedVersion) {
    throw new CertwireError(
      "CERTWIRE_SINK_CONFIG",
      `kafkajs ${version} is installed, but only ${supportedVersion} is known to be safe`,
      { hint: `Install kafkajs ${supportedVersion}.` },
    );
  }
  const queue = require("kafkajs/src/network/requestQueue") as { prototype: RequestQueue };
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
