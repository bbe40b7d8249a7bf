import type { ResolvedConfig } from "../config/load.ts";
import type { CaMemory } from "../events/ca-memory.ts";
import type { EventContext } from "../sources/decode-frame.ts";
import { openJournalContext } from "../sources/journal-context.ts";
import { readCaMemory } from "../state/ca-id-memory.ts";
import { stateLayout } from "../state/layout.ts";
import { defaultConfigFile } from "./default-config.ts";
import type { JournalOptions } from "./journal-options.ts";

/** The journal that a command reads. */
export interface ChosenJournal {
  readonly directory: string;
  /** Absent when no configuration was named. */
  readonly config?: ResolvedConfig;
}

/** The journal that the options choose, else that of the default configuration. Rejects with CERTWIRE_CONFIG_INVALID. */
export async function chooseJournal({
  journal,
  config: file,
}: JournalOptions): Promise<ChosenJournal> {
  if (journal !== undefined && file === undefined) return { directory: journal };
  const config = await readConfig(file ?? defaultConfigFile());
  return { directory: journal ?? config.journal.directory, config };
}

/** The configuration without its secrets. Its schemas are loaded only by a command that is given one. */
async function readConfig(file: string): Promise<ResolvedConfig> {
  const { loadConfig } = await import("../config/load.ts");
  return loadConfig(file, { isNeeded: () => false });
}

/**
 * The context for decoding the journal from its oldest frame, with the options of the configuration and every property
 * that was recorded.
 */
export async function openChosenContext({
  directory,
  config,
}: ChosenJournal): Promise<EventContext> {
  const memory = await readConfiguredMemory(config);
  return openJournalContext(directory, { ...config?.events, detail: "full" }, memory);
}

/** What the configured service remembers of the CA; nothing without a configuration. */
export function readConfiguredMemory(config: ResolvedConfig | undefined): Promise<CaMemory> {
  return readCaMemory(config && stateLayout(config.state.directory).caIds);
}
