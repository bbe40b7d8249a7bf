import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { alerts } from "../health/alerts.ts";
import { packageRoot } from "../native/package-root.ts";
import { pageDirectory } from "./page-directory.ts";

/** A file as it is served. It holds no data of this service, so nobody needs a token for it. */
export interface StaticFile {
  readonly type: string;
  readonly body: string;
}

const files: Readonly<Record<string, readonly [name: string, type: string]>> = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/page.js": ["page.js", "text/javascript; charset=utf-8"],
  "/page.css": ["page.css", "text/css; charset=utf-8"],
  "/icon.svg": ["icon.svg", "image/svg+xml"],
};

const runbook = /^\/runbooks\/(\w+)$/;

/**
 * The file of the status page or the runbook with this path; `undefined` if there is none. Rejects with the error of the
 * file system.
 */
export async function staticFile(path: string): Promise<StaticFile | undefined> {
  const [name, type] = (Object.hasOwn(files, path) && files[path]) || [];
  if (name !== undefined && type !== undefined) {
    return { type, body: await readFile(new URL(name, pageDirectory), "utf8") };
  }
  const alert = runbook.exec(path)?.[1];
  if (alert === undefined || !Object.hasOwn(alerts, alert)) return undefined;
  const page = join(packageRoot(), "docs", "how-to", "runbooks", `${alert}.md`);
  return { type: "text/plain; charset=utf-8", body: await readFile(page, "utf8") };
}
