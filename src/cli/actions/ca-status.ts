import { type CaStatus, readCaStatus } from "../../ca/ca-status.ts";
import { caService } from "../../ca/control-service.ts";
import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { windowsSystem } from "../../native/windows-system.ts";
import { alignRows, inLine, styled } from "../output.ts";

/** The options of `certwire ca status`. */
export interface CaStatusOptions {
  readonly ca?: string;
  readonly json?: true;
}

/** `certwire ca status`: which exit modules the CA loads, and what is registered for ours. */
export function caStatus({ ca, json }: CaStatusOptions): void {
  const found = readCaStatus(windowsSystem(), ca);
  const text = json ? jsonText(found, undefined, 2) : caStatusLines(found).join("\n");
  standardOutput().post(`${text}\n`);
}

/** A status for people, safe on a terminal. */
export function caStatusLines(found: CaStatus): string[] {
  const { dll, clsid, machine } = found.registration;
  const modules = found.exitModules.map((module, index) => `${index + 1}. ${module}`);
  const rows = alignRows(
    [
      ["CA", `${found.ca}, ${found.isActive ? "the active one" : "not the active one"}`],
      ["exit modules", modules.length > 0 ? modules.join(", ") : "none"],
      ["Certwire", found.isEnabled ? "in the list" : "not in the list"],
      ["class", clsid ?? "not registered"],
      ["DLL", dll === undefined ? "none" : `${dll}, ${machine ?? "cannot be read"}`],
      ["service", `${caService}, ${found.service ?? "not installed"}`],
    ].map((row) => row.map(inLine)),
  );
  const warnings = found.warnings.map((warning) =>
    styled(process.stdout, "yellow", `warning: ${inLine(warning)}`),
  );
  return [...rows, ...warnings];
}
