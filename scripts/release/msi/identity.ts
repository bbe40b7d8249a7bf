import { createHash } from "node:crypto";
import { uuidOf } from "../uuid.ts";

/** All GUIDs of the installers come from this one and a name. It never changes. */
const namespace = "6f2f3f6e-8a43-4c1b-9a54-2d5b6f6b8f10";

/** The GUID of a name, in the form of Windows Installer. */
export function guidOf(name: string): string {
  return `{${uuidOf(namespace, name).toUpperCase()}}`;
}

/** What all versions share: by it Windows Installer finds the one to upgrade. */
export const upgradeCode = guidOf("upgrade code");

/** A key for a row about a path, the same for the same path. */
export function identifierOf(prefix: string, path: string): string {
  return `${prefix}_${createHash("sha256").update(path).digest("hex").slice(0, 24)}`;
}

/** The numbers of a version that Windows Installer compares: it knows no pre-releases. */
export function productVersionOf(version: string): string {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)(?:-[\w.-]+)?$/.exec(version) ?? [];
  const isValid = Number(major) < 256 && Number(minor) < 256 && Number(patch) < 65_536;
  if (!isValid) {
    throw new Error(
      `an MSI cannot have the version ${version}: it must be like 1.2.3, at most 255.255.65535`,
    );
  }
  return `${major}.${minor}.${patch}`;
}
