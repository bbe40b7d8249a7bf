// Builds the status page: node build/js/scripts/build-page.js DIRECTORY
import { bundlePage } from "./page-bundle.ts";

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  console.error("usage: build-page.js DIRECTORY");
  process.exit(2);
}
await bundlePage(directory);
