const minute = 60_000;

/**
 * The entries that the service writes, by the cause. `id` is the number in the log, whose text and severity are in
 * `addon/event_log/messages.mc` and whose section is in `docs/reference/event-log.md`. `quietMs`: how long the same entry about
 * the same sink is not repeated, in ms.
 */
export const serviceEntries = {
  "service-started": { id: 50, quietMs: 0 },
  "service-stopped": { id: 51, quietMs: 0 },
  "sink-down": { id: 52, quietMs: 10 * minute },
  "sink-back": { id: 53, quietMs: 0 },
  "dead-letters": { id: 54, quietMs: 60 * minute },
  gap: { id: 55, quietMs: 60 * minute },
  "journal-fills-up": { id: 56, quietMs: 60 * minute },
  "configuration-refused": { id: 57, quietMs: 0 },
} as const satisfies Record<string, { readonly id: number; readonly quietMs: number }>;

/** The cause of an entry. */
export type ServiceEntry = keyof typeof serviceEntries;
