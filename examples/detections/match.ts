import type { Detection, Fields, Lists, Scalar, Selection } from "./rule.ts";

/** Says whether an event with its facts is what a detection looks for. */
export type Matcher = (event: object, lists: Lists) => boolean;

type Named = ReadonlyMap<string, boolean>;
type Expression = (selections: Named) => boolean;

/** Compiles a detection. Throws if its condition cannot be read or names a selection that is not there. */
export function matcherOf({ selections, condition }: Detection): Matcher {
  const names = Object.keys(selections);
  const expression = parseCondition(condition, new Set(names));
  return (event, lists) => {
    const matched = new Map(
      Object.entries(selections).map(([name, selection]) => [
        name,
        matchesSelection(event, selection, lists),
      ]),
    );
    return expression(matched);
  };
}

function matchesSelection(event: object, selection: Selection, lists: Lists): boolean {
  const isList = (value: Selection): value is readonly Fields[] => Array.isArray(value);
  const alternatives = isList(selection) ? selection : [selection];
  return alternatives.some((fields) =>
    Object.entries(fields).every(([field, wanted]) => matchesField(event, field, wanted, lists)),
  );
}

function matchesField(
  event: object,
  field: string,
  wanted: Scalar | readonly Scalar[],
  lists: Lists,
): boolean {
  const [path = "", modifier] = field.split("|");
  const found = valuesAt(event, path);
  const values: readonly Scalar[] = isScalar(wanted) ? [wanted] : wanted;
  return values.some((value) => matchesValue(found, modifier, value, { event, lists }));
}

function isScalar(value: Scalar | readonly Scalar[]): value is Scalar {
  return !Array.isArray(value);
}

function matchesValue(
  found: readonly unknown[],
  modifier: string | undefined,
  value: Scalar,
  { event, lists }: { readonly event: object; readonly lists: Lists },
): boolean {
  switch (modifier) {
    case "exists":
      return found.length > 0 === value;
    case "fieldref":
      return valuesAt(event, String(value)).some((other) => found.some((own) => same(own, other)));
    case "expand":
      return listOf(value, lists).some((item) => found.some((own) => same(own, item)));
    case undefined:
      return value === null ? found.length === 0 : found.some((own) => same(own, value));
    default:
      return found.some((own) => typeof own === "string" && compare(modifier, own, String(value)));
  }
}

function listOf(placeholder: Scalar, lists: Lists): readonly string[] {
  const name = /^%(\w+)%$/.exec(String(placeholder))?.[1];
  if (name === undefined) throw new TypeError(`${placeholder} is not a placeholder`);
  return Object.hasOwn(lists, name) ? (lists[name] ?? []) : [];
}

function compare(modifier: string, own: string, value: string): boolean {
  const [text, wanted] = [own.toLowerCase(), value.toLowerCase()];
  switch (modifier) {
    case "contains":
      return text.includes(wanted);
    case "startswith":
      return text.startsWith(wanted);
    case "endswith":
      return text.endsWith(wanted);
    case "re":
      return new RegExp(value, "u").test(own);
    default:
      throw new TypeError(`"${modifier}" is not a modifier`);
  }
}

function same(own: unknown, value: unknown): boolean {
  if (typeof own === "string" && typeof value === "string") {
    return own.toLowerCase() === value.toLowerCase();
  }
  return own === value;
}

/** All values at a path; a list stands for each of its members. */
function valuesAt(value: unknown, path: string): unknown[] {
  let values = [value];
  for (const name of path.split(".")) {
    values = values.flatMap((each) => {
      if (typeof each !== "object" || each === null || !Object.hasOwn(each, name)) return [];
      const member: unknown = (each as Record<string, unknown>)[name];
      return Array.isArray(member) ? (member as unknown[]) : [member];
    });
  }
  return values.filter((each) => each !== undefined && each !== null);
}

/** `not` binds closer than `and`, and `and` closer than `or`, as in Sigma. */
function parseCondition(condition: string, names: ReadonlySet<string>): Expression {
  const tokens = condition.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const take = (token: string): boolean => {
    if (tokens[at] !== token) return false;
    at += 1;
    return true;
  };
  const chain = (word: string, part: () => Expression, join: (all: boolean[]) => boolean) => {
    const parts = [part()];
    while (take(word)) parts.push(part());
    return (selections: Named) => join(parts.map((each) => each(selections)));
  };
  const either = (): Expression => chain("or", both, (all) => all.includes(true));
  const both = (): Expression => chain("and", single, (all) => !all.includes(false));
  const single = (): Expression => {
    if (take("not")) {
      const inner = single();
      return (selections) => !inner(selections);
    }
    if (take("(")) {
      const inner = either();
      if (!take(")")) throw new SyntaxError(`${condition}: a parenthesis is open`);
      return inner;
    }
    const name = tokens[at] ?? "";
    if (!names.has(name)) throw new SyntaxError(`${condition}: "${name}" is not a selection`);
    at += 1;
    return (selections) => selections.get(name) === true;
  };
  const expression = either();
  if (at < tokens.length) throw new SyntaxError(`${condition}: "${tokens[at]}" is not expected`);
  return expression;
}
