import { databasePlace } from "../ca/database-place.ts";
import { CaDatabase } from "../ca-database/ca-database.ts";
import { nativeCaDatabase } from "../native/ca-database.ts";
import { windowsSystem } from "../native/windows-system.ts";
import { formatDuration } from "../units.ts";
import type { DatabaseOptions } from "./database-options.ts";
import { inLine, say } from "./output.ts";

/** The database that the options name; says when it waits for the CA. Throws CERTWIRE_WINDOWS_ONLY, CERTWIRE_CA_MISSING. */
export function openCaDatabase({ ca, hours, share }: DatabaseOptions): CaDatabase {
  const native = nativeCaDatabase();
  return new CaDatabase(native, {
    ...databasePlace(windowsSystem(), ca),
    load: { share: share / 100, ...(hours && { hours }) },
    waiting: (error, delayMs) =>
      say(`${inLine(error.message)}; trying again in ${formatDuration(delayMs)}`),
  });
}
