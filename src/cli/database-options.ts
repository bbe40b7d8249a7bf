import { type Command, InvalidArgumentError } from "commander";
import type { Hours } from "../ca-database/load.ts";
import { parseHours } from "../config/hours.ts";
import { configOption } from "./default-config.ts";

/** Options of a command that reads the CA's database. */
export interface DatabaseOptions {
  readonly config: string;
  /** Sanitized name. */
  readonly ca?: string;
  readonly hours?: Hours;
  /** Percent of the time. */
  readonly share: number;
}

/** Adds the options of a command that reads the CA's database. */
export function addDatabaseOptions(command: Command): Command {
  return command
    .addOption(configOption("configuration of the service"))
    .option("--ca <name>", "sanitized name of the CA (default: the active one)")
    .option(
      "--hours <from-to>",
      "only read the database at these hours, local time, as 22:00-06:00",
      hoursOption,
    )
    .option("--share <percent>", "longest share of the time for reading", parseShare, 50);
}

function hoursOption(text: string): Hours {
  const hours = parseHours(text);
  if (hours === undefined) throw new InvalidArgumentError("It must look like 22:00-06:00.");
  if (hours.from === hours.to) throw new InvalidArgumentError("Its two times must differ.");
  return hours;
}

function parseShare(text: string): number {
  const value = Number(text);
  if (/^\d{1,3}$/.test(text) && value >= 1 && value <= 100) return value;
  throw new InvalidArgumentError("It must be a whole number of percent, 1 to 100.");
}
