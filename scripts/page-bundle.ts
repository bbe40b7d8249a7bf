import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/**
 * Builds the status page into a directory: `index.html`, `page.js`, `page.css` and `icon.svg`, which load nothing else.
 * Returns the npm packages inside, with the bytes of `page.js` and `page.css` that come from each.
 */
export async function bundlePage(directory: string): Promise<Map<string, number>> {
  mkdirSync(directory, { recursive: true });
  const { metafile } = await build({
    entryPoints: [
      { in: "page/main.tsx", out: "page" },
      { in: "page/page.css", out: "page" },
    ],
    outdir: directory,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    tsconfig: "page/tsconfig.json",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  for (const file of ["index.html", "icon.svg"]) {
    copyFileSync(join("page", file), join(directory, file));
  }
  const bytes = new Map<string, number>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name = packageOf(path);
      if (name !== undefined) bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput);
    }
  }
  return bytes;
}

/** The npm package that a file belongs to; `undefined` for one of ours. */
export function packageOf(path: string): string | undefined {
  return /.*node_modules\/(?<name>(@[^/]+\/)?[^/]+)/.exec(path)?.groups?.["name"];
}
