import type { ResolvedConfig } from "../config/load.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import type { EventContext } from "../sources/decode-frame.ts";
import { openJournalContext } from "../sources/journal-context.ts";
import { CaIdMemory } from "../state/ca-id-memory.ts";
import { stateLayout } from "../state/layout.ts";
import type { JournalOptions } from "./journal-options.ts";

/** The journal that a command reads. */
export interface ChosenJournal {
  readonly directory: string;
  /** Absent when no configuration was named. */
  readonly config?: ResolvedConfig;
}

/** The journal that the options choose. Rejects with CERTWIRE_USAGE without one, or CERTWIRE_CONFIG_INVALID. */
export async function chooseJournal({
  journal,
  config: file,
}: JournalOptions): Promise<ChosenJournal> {
  const config = file === undefined ? undefined : await readConfig(file);
  const directory = journal ?? config?.journal.directory;
  if (directory === undefined) {
    throw new CertwireError("CERTWIRE_USAGE", "give --journal or --config");
  }
  return config === undefined ? { directory } : { directory, config };
}

/** The configuration without its secrets. Its schemas are loaded only by a command that is given one. */
async function readConfig(file: string): Promise<ResolvedConfig> {
  const { loadConfig } = await import("../config/load.ts");
  return loadConfig(file, { isNeeded: () => false });
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
