import { z } from "zod";
import { invalidUrl } from "./server-url.ts";

/** What the escapes of JSON make of `\t`, `\n`, `\b`, `\f` and `\r` in a Windows path. */
const escapes = /[\t\n\b\f\r]/;

/** A path in the configuration; a control character in it is a finding. */
export function pathOption(): z.ZodString {
  return z
    .string()
    .min(1)
    .superRefine((path, context) => {
      const problem = problemOfPath(path);
      if (problem === undefined) return;
      const { message, hint } = problem;
      context.addIssue({ code: "custom", message, params: { hint } });
    });
}

/** Throws a CertwireError for a path with a control character. */
export function assertPath(path: string): void {
  const problem = problemOfPath(path);
  if (problem !== undefined) throw invalidUrl(problem.message, problem.hint);
}

function problemOfPath(path: string): { message: string; hint: string } | undefined {
  const [found] = /\p{Cc}/u.exec(path) ?? [];
  if (found === undefined) return undefined;
  const code = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const message = `the path has the control character U+${code}`;
  const hint = escapes.test(found)
    ? String.raw`Write each backslash as \\ in JSON: "C:\temp" is C:, a tab and "emp".`
    : "Remove it; no file can have such a name.";
  return { message, hint };
}
