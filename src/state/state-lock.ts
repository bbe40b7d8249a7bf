import { clock } from "../clock.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { lockDirectory } from "../files/directory-lock.ts";
import type { NativeFileLock } from "../native/addon.ts";
import type { StateLayout } from "./layout.ts";

/** How long to wait for the lock, in ms: Windows may release it some time after its process was killed. */
const patienceMs = 2000;
const pollMs = 100;

/**
 * Makes this process the only service on a state directory; two would overwrite each other's checkpoints.
 * Rejects with CERTWIRE_DIRECTORY_IN_USE after 2 s, or with CERTWIRE_CHECKPOINT_FAILED.
 */
export async function lockState({ directory, lockName }: StateLayout): Promise<NativeFileLock> {
  const deadline = clock.now() + patienceMs;
  for (;;) {
    try {
      return await lockDirectory(directory, lockName, "private");
    } catch (cause) {
      if (!(cause instanceof CertwireError)) {
        throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot lock ${directory}`, {
          cause,
        });
      }
      if (!cause.retryable || clock.now() > deadline) throw cause;
    }
    await clock.delay(pollMs);
  }
}
