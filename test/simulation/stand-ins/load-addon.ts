import type { NativeAddon } from "../../../src/native/addon.ts";
import { TailingReader } from "../tailing-reader.ts";
import { world } from "../world.ts";

/** In the place of src/native/load-addon.ts: what the service uses of the addon. */
export function loadAddon(): Partial<Record<keyof NativeAddon, unknown>> {
  return {
    JournalReader: TailingReader,
    listSegments: () => world().journal.listSegments(),
    deleteFile: (path: string) => world().journal.deleteSegment(path),
    // The simulated writer leaves none.
    readWriterBeat: () => Promise.resolve(null),
    lockFile: (path: string) => world().disk.lock(path),
  };
}
