import { type Command, InvalidArgumentError } from "commander";
import { didYouMean } from "../config/did-you-mean.ts";
import { eventKinds } from "../events/event.ts";
import type { Selection } from "../events/selection.ts";
import { parseCount, parseTime } from "./arguments.ts";

/** Options that choose events; without any, all of them. */
export interface SelectionOptions {
  readonly from?: Date;
  readonly to?: Date;
  readonly requestId?: readonly string[];
  readonly type?: readonly string[];
}

/** Adds the options that choose events to a command. */
export function addSelectionOptions(command: Command): Command {
  return command
    .option("--from <time>", "events at or after this time", parseTime)
    .option("--to <time>", "events before this time", parseTime)
    .option("--request-id <number>", "events of this request; may be repeated", collectId)
    .option("--type <kind>", "events of this kind; may be repeated", collectType);
}

/** What the options choose. */
export function selectionOf({ from, to, requestId, type }: SelectionOptions): Selection {
  return { from, to, requestIds: requestId, types: type };
}

function collectId(text: string, previous: readonly string[] = []): string[] {
  return [...previous, String(parseCount(text))];
}

function collectType(text: string, previous: readonly string[] = []): string[] {
  const isKnown = eventKinds.some((kind) => text === kind || text.endsWith(`${kind}.v1`));
  if (isKnown) return [...previous, text];
  const near = didYouMean(text, eventKinds);
  throw new InvalidArgumentError(
    near === undefined ? `Kinds: ${eventKinds.join(", ")}.` : `Did you mean "${near}"?`,
  );
}
