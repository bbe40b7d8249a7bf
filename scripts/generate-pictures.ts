// Writes docs/explanation/architecture.svg from its description.
import { readFileSync, writeFileSync } from "node:fs";
import { pictureSvg } from "./picture.ts";

const description = readFileSync("docs/explanation/architecture.txt", "utf8");
writeFileSync("docs/explanation/architecture.svg", pictureSvg(description));
