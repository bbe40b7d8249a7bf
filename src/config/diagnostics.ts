import type { Diagnostic } from "./config-error.ts";
import { hideSecrets } from "./hide-secrets.ts";
import { codeFrame, placeOf } from "./source-text.ts";

/** A problem whose line and column are not known yet. */
export interface Finding {
  readonly offset: number;
  readonly length: number;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly hint?: string | undefined;
  /** Set for an unknown key: its value is hidden wherever the source is shown. */
  readonly unknownKey?: string;
}

/** Adds lines, columns and source lines, and sorts by place in the file. */
export function toDiagnostics(file: string, text: string, findings: Finding[]): Diagnostic[] {
  const unknownKeys = new Set(findings.flatMap(({ unknownKey }) => unknownKey ?? []));
  const safeText = hideSecrets(text, unknownKeys);
  return findings
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, length, path, message, hint }) => {
      const place = placeOf(text, offset);
      return {
        file,
        ...place,
        path: pathText(path),
        message,
        ...(hint === undefined ? {} : { hint }),
        frame: codeFrame(safeText, place, length),
      };
    });
}

/** A path as people write it, such as `sinks[0].url`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");
}
