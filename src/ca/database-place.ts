import { CertwireError } from "../errors/certwire-error.ts";
import { textOf, textsOf } from "../native/registry-strings.ts";
import { calling, type NativeWindows, type RegistryValue } from "../native/windows-system.ts";
import { chooseCa } from "./choose-ca.ts";
import { certwireExit } from "./exit-modules.ts";

/** How the database of a CA is reached, and what of it must not be shown. */
export interface DatabasePlace {
  /** `COMPUTER\name of the CA`. */
  readonly config: string;
  /** Names of attributes that the exit module does not record either, beside those that are built in. */
  readonly secretAttributes: readonly string[];
}

/**
 * The database of the CA that is named, or of the active one. Throws CERTWIRE_CA_MISSING, and an error of Windows.
 */
export function databasePlace(windows: NativeWindows, name?: string): DatabasePlace {
  const ca = chooseCa(windows, name);
  const read = (key: string, value: string): RegistryValue | null =>
    calling(`HKLM\\${key} cannot be read`, () => windows.readRegistryValue(key, value));
  const text = (value: string): string => {
    const found = read(ca.key, value);
    const known = found === null ? undefined : textOf(found);
    if (known !== undefined && known !== "") return known;
    const message = `the configuration of the CA "${ca.name}" has no ${value}`;
    throw new CertwireError("CERTWIRE_CA_MISSING", message);
  };
  const blanked = read(`${ca.key}\\ExitModules\\${certwireExit}`, "BlankedAttributes");
  return {
    config: `${text("CAServerName")}\\${text("CommonName")}`,
    secretAttributes: blanked === null ? [] : namesIn(blanked),
  };
}

/** A list of texts, or one text with commas. */
function namesIn(value: RegistryValue): string[] {
  const names = textOf(value)?.split(",") ?? textsOf(value) ?? [];
  return names.map((name) => name.trim()).filter((name) => name !== "");
}
