import type { Command } from "commander";
import { loadConfig, type ResolvedConfig } from "../config/load.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import type { EventContext } from "../sources/decode-frame.ts";
import { openJournalContext } from "../sources/journal-context.ts";
import { CaIdMemory } from "../state/ca-id-memory.ts";
import { stateLayout } from "../state/layout.ts";

/** Options that choose a journal; at least one of them is required. */
export interface JournalOptions {
  readonly journal?: string;
  readonly config?: string;
}

/** The journal that a command reads. */
export interface ChosenJournal {
  readonly directory: string;
  /** Absent when no configuration was named. */
  readonly config?: ResolvedConfig;
}

/** Adds `--journal` and `--config` to a command. */
export function addJournalOptions(command: Command): Command {
  return command
    .option("-j, --journal <directory>", "journal directory (default: from --config)")
    .option("-c, --config <file>", "configuration file (its secrets are not read)");
}

/** The journal that the options choose. Throws CERTWIRE_USAGE without one, or CERTWIRE_CONFIG_INVALID. */
export function chooseJournal({ journal, config: file }: JournalOptions): ChosenJournal {
  const config = file === undefined ? undefined : loadConfig(file, { isNeeded: () => false });
  const directory = journal ?? config?.journal.directory;
  if (directory === undefined) {
    throw new CertwireError("CERTWIRE_USAGE", "give --journal or --config");
  }
  return config === undefined ? { directory } : { directory, config };
}

/** The context for decoding the journal from its oldest frame, with the options of the configuration. */
export async function openChosenContext({
  directory,
  config,
}: ChosenJournal): Promise<EventContext> {
  const caIds = await readCaIds(config);
  return openJournalContext(directory, config?.events ?? {}, caIds);
}

/** The CA ids that the configured service has stored; none without a configuration. */
export function readCaIds(config: ResolvedConfig | undefined): Promise<CaIdMemory> {
  return CaIdMemory.read(config && stateLayout(config.state.directory).caIds);
}
