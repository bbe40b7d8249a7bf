import { databasePlace } from "../ca/database-place.ts";
import { CaDatabase } from "../ca-database/ca-database.ts";
import { nativeCaDatabase } from "../native/ca-database.ts";
import { windowsSystem } from "../native/windows-system.ts";
import type { OpenCaDatabase } from "../service/reconcile-task.ts";
import { formatDuration } from "../units.ts";
import type { DatabaseOptions } from "./database-options.ts";
import { inLine, say } from "./output.ts";

/** The database that the options name; says when it waits for the CA. Throws CERTWIRE_WINDOWS_ONLY, CERTWIRE_CA_MISSING. */
export function openCaDatabase({ share, ...options }: DatabaseOptions): CaDatabase {
  return caDatabaseOf({ ...options, share: share / 100 }, (error, delayMs) =>
    say(`${inLine(error.message)}; trying again in ${formatDuration(delayMs)}`),
  );
}

/** The same for the service. `share`: above 0 and at most 1. */
export const caDatabaseOf: OpenCaDatabase = ({ ca, hours, share }, waiting) => {
  const native = nativeCaDatabase();
  return new CaDatabase(native, {
    ...databasePlace(windowsSystem(), ca),
    load: { share, ...(hours && { hours }) },
    waiting,
  });
};
