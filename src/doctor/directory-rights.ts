import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { NativeWindows } from "../native/windows-system.ts";

/** Who may do what in the directory of the journal. */
export interface DirectoryRights {
  /** Why the exit module would not use it, empty if it would; absent if that cannot be asked here. */
  readonly distrust?: string;
  /** True if others may read what is in it. */
  readonly isReadableByOthers: boolean;
  /** True if others may write to it. */
  readonly isWritableByOthers: boolean;
  /** False if this account cannot delete segments. */
  readonly isDeletable: boolean;
}

/** The rights of a directory; `undefined` if there is none, or it cannot be seen. */
export async function rightsOf(
  directory: string,
  windows?: NativeWindows,
): Promise<DirectoryRights | undefined> {
  const found = await stat(directory).catch(() => undefined);
  if (found === undefined) return undefined;
  if (windows !== undefined) {
    return {
      distrust: windows.distrustReason(directory),
      isReadableByOthers: windows.isReadableByOthers(directory),
      // The module distrusts it for that.
      isWritableByOthers: false,
      // An administrator may always, so it says nothing of the service.
      isDeletable: true,
    };
  }
  const { mode } = found;
  const isDeletable = await access(directory, constants.W_OK).then(
    () => true,
    () => false,
  );
  // Every CA runs on Windows: who may read a copy of its journal elsewhere is up to whoever made it.
  const isWritableByOthers = (mode & 0o002) !== 0;
  return { isReadableByOthers: false, isWritableByOthers, isDeletable };
}
