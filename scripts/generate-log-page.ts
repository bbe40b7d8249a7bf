// Writes docs/reference/log-lines.md from the table of messages.
import { writeFileSync } from "node:fs";
import { logPage } from "../src/log/log-page.ts";

writeFileSync("docs/reference/log-lines.md", logPage());
