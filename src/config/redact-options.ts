import { z } from "zod";
import { members } from "../events/redaction/members.ts";
import { Redactor } from "../events/redaction/redactor.ts";
import { type ResolveContext, secretReference } from "../sinks/secret-reference.ts";
import { didYouMean } from "./did-you-mean.ts";

/** A shorter key, of hex digits say, could be found by trying from a name and its hash. In characters. */
export const leastKeyLength = 32;

/** Members that the attributes of an event repeat, which its order and its id need. */
const fixed = /^(notify|problems|ca\.id|(request|certificateProperties)\.requestId)(\.|$)/;

interface Problem {
  readonly message: string;
  readonly hint: string;
}

function path(check: (path: string) => Problem | undefined) {
  return z.string().superRefine((value, context) => {
    const problem = unknownPath(value) ?? check(value);
    if (problem === undefined) return;
    context.addIssue({
      code: "custom",
      message: problem.message,
      params: { hint: problem.hint },
    });
  });
}

function unknownPath(value: string): Problem | undefined {
  const known = [...members().keys()];
  if (!members().has(value)) {
    const near = didYouMean(value.replace(/^data\./, ""), known);
    const hint = near
      ? `Did you mean "${near}"?`
      : "Write the path below `data`, such as request.requesterName; docs/reference/schemas has them all.";
    return { message: "is not a member of an event", hint };
  }
  if (!fixed.test(value)) return undefined;
  const hint = "Ids, order and the places of consumers depend on it.";
  return { message: "cannot be redacted", hint };
}

function notRemovable(value: string): Problem | undefined {
  if (members().get(value)?.isOptional !== false) return undefined;
  const parent = value.slice(0, Math.max(0, value.lastIndexOf(".")));
  const hint =
    parent === "" ? "Every event has it." : `Remove "${parent}" as a whole, or hash the text.`;
  return { message: "cannot be removed: its object always has it", hint };
}

function notHashable(value: string): Problem | undefined {
  if (members().get(value)?.form === "text") return undefined;
  const hint = "Only texts of any form are hashed, so that each member keeps its type: remove it.";
  return { message: "cannot be hashed", hint };
}

const redact = z
  .strictObject({
    remove: z
      .array(path(notRemovable))
      .min(1)
      .optional()
      .describe("Members that are left out, by their paths below `data`."),
    hash: z
      .array(path(notHashable))
      .min(1)
      .optional()
      .describe("Texts that are replaced by their HMAC-SHA-256, in hex, by their paths."),
    hashSecret: secretReference
      .optional()
      .describe("Key of the hashes, by reference: 32 characters or more, read at the start."),
  })
  .superRefine(({ remove = [], hash = [], hashSecret }, context) => {
    const add = (key: string[], message: string): void =>
      context.addIssue({ code: "custom", path: key, message });
    if (remove.length + hash.length === 0) add([], "is empty: give remove or hash");
    if (hash.length > 0 && hashSecret === undefined) add(["hash"], "needs a hashSecret");
    if (hash.length === 0 && hashSecret !== undefined) add(["hashSecret"], "is used by hash only");
    for (const each of hash) {
      if (remove.includes(each)) add(["hash"], `"${each}" stands in remove too`);
    }
  })
  .optional()
  .describe(
    "Members of the events that this sink does not show. What repeats them is redacted too, and binary copies are left out.",
  );

/** The key of a sink's entry that says what its events do not show. */
export const redactShape = { redact };

const redactOptions = z.object(redactShape);

/** The redaction in an entry; other keys are ignored. Throws a ZodError on a value that is not valid. */
export function redactionOf(entry: object): z.infer<typeof redact> {
  return redactOptions.parse(entry).redact;
}

/** The redactor of an entry, if it has one. Throws a CertwireError when the key cannot be read. */
export function resolveRedactor(entry: object, context: ResolveContext): Redactor | undefined {
  const options = redactionOf(entry);
  if (options === undefined) return undefined;
  const { remove = [], hash = [], hashSecret } = options;
  return new Redactor({ remove, hash, key: hashSecret ? context.secret(hashSecret) : "" });
}
