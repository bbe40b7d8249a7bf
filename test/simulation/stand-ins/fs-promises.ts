// In the place of node:fs/promises, for what the service imports of it.
import { world } from "../world.ts";

export const open = (path: string, flags: string | number): Promise<unknown> =>
  world().disk.open(path, flags);
export const stat = (path: string, options?: { readonly bigint?: boolean }): Promise<unknown> =>
  world().disk.stat(path, options?.bigint === true);
// The simulated disk has no links.
export const lstat = (path: string): Promise<unknown> => world().disk.stat(path, false);
export const mkdir = (path: string): Promise<void> => world().disk.mkdir(path);
export const readdir = (path: string): Promise<string[]> => world().disk.readdir(path);
export const rename = (from: string, to: string): Promise<void> => world().disk.rename(from, to);
export const unlink = (path: string): Promise<void> => world().disk.unlink(path);
export const statfs = (): Promise<unknown> => world().disk.statfs();
export const readFile = (path: string): Promise<string> =>
  path === "/proc/locks" ? Promise.resolve(world().disk.locks()) : unused(`readFile ${path}`);
export const readlink = (path: string): Promise<string> =>
  path === "/proc/self/ns/pid" ? Promise.resolve("pid:[4026531836]") : unused(`readlink ${path}`);

function unused(what: string): Promise<never> {
  return Promise.reject(new Error(`the simulated disk has no ${what}`));
}
