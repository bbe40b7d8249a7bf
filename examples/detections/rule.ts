/** A value of an event. `null`: the field is absent. */
export type Scalar = string | number | boolean | null;

/**
 * Fields that must all match, as Sigma writes them: `path.of.field|modifier`. A list matches if one of its values does.
 * Text is compared whatever its case. Modifiers: `contains`, `startswith`, `endswith`, `re`, `exists`, `fieldref` (the
 * value is the path of another field) and `expand` (the value is the `%name%` of a list in the settings).
 */
export type Fields = Readonly<Record<string, Scalar | readonly Scalar[]>>;

/** Fields, or alternatives of them. */
export type Selection = Fields | readonly Fields[];

/** What a rule looks for, in the terms of Sigma. */
export interface Detection {
  /** By the names that the condition uses. */
  readonly selections: Readonly<Record<string, Selection>>;
  /** Names of selections with `and`, `or`, `not` and parentheses. */
  readonly condition: string;
}

/** One detection, as data. */
export interface Rule {
  readonly id: string;
  /** The id of the Sigma rule. */
  readonly sigmaId: string;
  readonly title: string;
  readonly description: string;
  /** `exact`: the event says it; `effect`: the event shows what an attack has led to; `partly`: some ways of it. */
  readonly certainty: "exact" | "effect" | "partly";
  readonly level: "low" | "medium" | "high" | "critical";
  /** Techniques of MITRE ATT&CK, and a CVE if there is one. */
  readonly tags: readonly string[];
  readonly falsePositives: readonly string[];
  /** Lists of the settings without which the rule is off. Default none. */
  readonly needs?: readonly string[];
  /** The list of the settings whose entries the rule is evaluated for, one by one. Default none. */
  readonly forEach?: string;
  readonly detection: Detection;
}

/** Placeholders and their values. */
export type Lists = Readonly<Record<string, readonly string[]>>;

/** What the rules must know about a site. */
export interface Settings {
  /** The lists behind placeholders such as `%enrollment_agents%`. */
  readonly lists?: Lists;
  /** Lists that belong together, for rules with `forEach`. */
  readonly each?: Readonly<Record<string, readonly Lists[]>>;
  /** User principal names by account (`CORP\\alice`), where they are not the account's name. */
  readonly upns?: Readonly<Record<string, readonly string[]>>;
}
