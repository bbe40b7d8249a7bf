import type { Content, Form } from "./recorded.ts";

/** What a record may differ in from the step. */
export interface Allowance {
  /** A missing value is fine when the record names it with this reason. */
  readonly excuse?: "budget" | "limit";
  /** Values may be missing without a word, since reading ended in a fault. */
  readonly endsInFault?: boolean;
}

/** How many characters of a differing value are shown. */
const shownCharacters = 80;

/** Differences between what was to be recorded and what was, one line each; none when all is well. */
export function differences(
  expected: Content,
  recorded: Content,
  { excuse, endsInFault = false }: Allowance = {},
): string[] {
  const found: string[] = [];
  const isExcused = (name: string): boolean =>
    endsInFault || recorded.errors.includes(`text:${name} ${excuse}`);
  if (expected.event !== recorded.event || expected.context !== recorded.context) {
    found.push(`event ${recorded.event} of ${recorded.context}`);
  }
  for (const group of ["request", "certificate", "ca"] as const) {
    found.push(...groupDifferences(group, expected[group], recorded[group], isExcused));
  }
  for (const list of ["attributes", "extensions", "crls"] as const) {
    const isCutShort = isExcused(list) || (excuse !== undefined && hasReason(recorded, excuse));
    found.push(...listDifferences(list, expected[list], recorded[list], isCutShort));
  }
  const isAllowed = (error: string): boolean =>
    excuse !== undefined ? error.endsWith(` ${excuse}`) : endsInFault && error.endsWith(" fault");
  const missing = expected.errors.filter((error) => !recorded.errors.includes(error));
  const invented = recorded.errors.filter((error) => !expected.errors.includes(error));
  if (!endsInFault) found.push(...missing.map((error) => `error not named: ${error}`));
  found.push(
    ...invented.filter((error) => !isAllowed(error)).map((error) => `error named: ${error}`),
  );
  return found;
}

function hasReason(content: Content, reason: string): boolean {
  return content.errors.some((error) => error.endsWith(` ${reason}`));
}

function groupDifferences(
  group: string,
  expected: Readonly<Record<string, Form>>,
  recorded: Readonly<Record<string, Form>>,
  isExcused: (name: string) => boolean,
): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(recorded)]);
  return [...names].flatMap((name) => {
    const [wanted, got] = [expected[name], recorded[name]];
    if (wanted === got) return [];
    if (got === undefined && isExcused(`${group}.${name}`)) return [];
    return [`${group}.${name}: expected ${shown(wanted)}, recorded ${shown(got)}`];
  });
}

function listDifferences(
  name: string,
  expected: readonly string[],
  recorded: readonly string[],
  isCutShort: boolean,
): string[] {
  const compared = isCutShort ? expected.slice(0, recorded.length) : expected;
  // An endless enumeration records more than the scenario lists.
  const rest = isCutShort ? recorded.slice(0, compared.length) : recorded;
  const length = Math.max(compared.length, rest.length);
  return Array.from({ length }, (_, index) => [compared[index], rest[index]] as const)
    .filter(([wanted, got]) => wanted !== got)
    .map(([wanted, got]) => `${name}: expected ${shown(wanted)}, recorded ${shown(got)}`);
}

function shown(form: Form | undefined): string {
  return form === undefined ? "nothing" : form.slice(0, shownCharacters);
}
