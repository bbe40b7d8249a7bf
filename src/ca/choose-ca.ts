import { CertwireError } from "../errors/certwire-error.ts";
import { isSameName, textOf } from "../native/registry-strings.ts";
import { calling, type NativeWindows } from "../native/windows-system.ts";

/** Key of the configurations of the CAs, one subkey each, below HKEY_LOCAL_MACHINE. */
const configurationKey = String.raw`SYSTEM\CurrentControlSet\Services\CertSvc\Configuration`;

/** A CA in the registry of this machine. */
export interface InstalledCa {
  /** The CA's sanitized name, as its key is called. */
  readonly name: string;
  /** True if the CA service runs this one. */
  readonly isActive: boolean;
  readonly key: string;
}

/**
 * The CA that is named, or the active one. Throws CERTWIRE_CA_MISSING if there is none, or none is active, and an error
 * of Windows.
 */
export function chooseCa(windows: NativeWindows, name?: string): InstalledCa {
  const names = calling(`HKLM\\${configurationKey} cannot be listed`, () =>
    windows.listRegistrySubkeys(configurationKey),
  );
  if (names === null || names.length === 0) {
    throw missing("the registry has no configuration of a CA", "Run the command on the CA.");
  }
  const active = activeName(windows);
  const wanted = name ?? active;
  const found = names.find((each) => wanted !== undefined && isSameName(each, wanted));
  if (found === undefined) throw notFound(names, name, active);
  return {
    name: found,
    isActive: active !== undefined && isSameName(found, active),
    key: `${configurationKey}\\${found}`,
  };
}

/** Every name of a CA that the registry has; none where it cannot be read. */
export function caNames(windows: NativeWindows): string[] {
  const reads = [
    () => windows.listRegistrySubkeys(configurationKey) ?? [],
    () => activeName(windows) ?? [],
  ];
  return reads.flatMap((read) => {
    try {
      return read();
    } catch {
      return []; // whoever needs the CA itself reports it
    }
  });
}

/** The value `Active`; `undefined` if it is missing or is not a text. */
function activeName(windows: NativeWindows): string | undefined {
  const value = calling(`HKLM\\${configurationKey} cannot be read`, () =>
    windows.readRegistryValue(configurationKey, "Active"),
  );
  return value === null ? undefined : textOf(value);
}

function notFound(
  names: readonly string[],
  name: string | undefined,
  active: string | undefined,
): CertwireError {
  const choices = names.map((each) => `"${each}"`).join(", ");
  const hint = `Name one with --ca: ${choices}.`;
  if (name !== undefined) return missing(`there is no CA "${name}"`, hint);
  if (active === undefined) return missing("none of the CAs is the active one", hint);
  return missing(`the active CA "${active}" has no configuration`, hint);
}

function missing(message: string, hint: string): CertwireError {
  return new CertwireError("CERTWIRE_CA_MISSING", message, { hint });
}
