// Imported before everything else of Wine: an installation changes the whole prefix, so its tests have one of their own.
import { join } from "node:path";
import { repoRoot } from "../../integration/support/repo-root.ts";

const shared = process.env["WINEPREFIX"] ?? join(repoRoot, "build", "wine-prefix");
process.env["WINEPREFIX"] = `${shared}-msi`;
