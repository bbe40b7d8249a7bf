import { constants } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { FileAccess } from "../../files/append-file.ts";
import { exists } from "../../files/existing.ts";
import { replaceFile } from "../../files/replace-file.ts";
import type { NativeWindows } from "../../native/windows-system.ts";

/** A file that the setup writes. */
export interface PlannedFile {
  readonly path: string;
  /** `private`: on Linux for its owner only; on Windows the rights of its directory are inherited. */
  readonly access: FileAccess;
  readonly text: string;
  /** Where what is there now is kept; absent if nothing is there. */
  readonly copy?: string;
}

/** True if a file is there, which is kept as a copy. Throws CERTWIRE_SETUP_EXISTS if `mayReplace` is false. */
export async function isReplaced(path: string, mayReplace: boolean): Promise<boolean> {
  const isThere = await exists(path).catch((cause: unknown) => {
    throw failed(path, cause);
  });
  if (!isThere || mayReplace) return isThere;
  throw new CertwireError("CERTWIRE_SETUP_EXISTS", `${path} exists`);
}

/**
 * Plans copies of the files that exist. Throws CERTWIRE_SETUP_EXISTS if there is one and `mayReplace` is false, and
 * CERTWIRE_SETUP_FAILED if on Windows a directory is missing, or would show secrets to others.
 */
export async function planFiles(
  files: readonly PlannedFile[],
  mayReplace: boolean,
  windows: NativeWindows | undefined,
): Promise<PlannedFile[]> {
  const planned: PlannedFile[] = [];
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, "-");
  for (const file of files) {
    const isThere = await isReplaced(file.path, mayReplace);
    planned.push(isThere ? { ...file, copy: `${file.path}.${stamp}.old` } : file);
  }
  if (windows !== undefined) await assertDirectories(planned, windows);
  return planned;
}

/** On Windows the rights of a file are those of its directory, which the registration of the exit module makes. */
async function assertDirectories(
  files: readonly PlannedFile[],
  windows: NativeWindows,
): Promise<void> {
  for (const { path, access } of files) {
    const directory = dirname(path);
    if (!(await exists(directory))) {
      throw new CertwireError("CERTWIRE_SETUP_FAILED", `there is no directory ${directory}`, {
        hint: "Install Certwire first: regsvr32 on certwire-exit.dll makes the directories with their rights.",
      });
    }
    if (access === "private" && windows.isReadableByOthers(directory)) {
      throw new CertwireError(
        "CERTWIRE_SETUP_FAILED",
        `accounts other than administrators can read ${directory}, where ${path} would be`,
        { hint: String.raw`Use %ProgramData%\Certwire\config, or take their rights away.` },
      );
    }
  }
}

/** Keeps copies, then writes the files in their order. Throws CERTWIRE_SETUP_FAILED. */
export async function writeFiles(files: readonly PlannedFile[]): Promise<void> {
  for (const { path, access, text, copy } of files) {
    try {
      await mkdir(dirname(path), { recursive: true });
      if (copy !== undefined) await copyFile(path, copy, constants.COPYFILE_EXCL);
      await replaceFile(path, access, [text]);
    } catch (cause) {
      throw failed(path, cause);
    }
  }
}

function failed(path: string, cause: unknown): CertwireError {
  return new CertwireError("CERTWIRE_SETUP_FAILED", `${path} cannot be written`, { cause });
}
