// Writes docs/reference/errors.md from the table of error codes.
import { writeFileSync } from "node:fs";
import { errorsPage } from "../src/errors/errors-page.ts";

writeFileSync("docs/reference/errors.md", errorsPage());
