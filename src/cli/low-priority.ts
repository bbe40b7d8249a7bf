import { constants, setPriority } from "node:os";

/** Lets the CA, the service and everybody else have the processor first, for the rest of the process. */
export function takeLowPriority(): void {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
}
