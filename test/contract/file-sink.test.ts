import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileSinkOptions, resolveFileSink } from "../../src/sinks/file/options.ts";
import { FileSink } from "../../src/sinks/file/sink.ts";
import { testSinkContract } from "./sink-contract.ts";

testSinkContract({
  name: "file",
  async setUp(context) {
    const directory = await mkdtemp(join(tmpdir(), "certwire-file-contract-"));
    context.after(() => rm(directory, { recursive: true, force: true }));
    const resolveContext = { baseDirectory: directory, secret: () => "" };
    const entry = fileSinkOptions.parse({
      name: "f",
      url: "file:out",
      maxFileBytes: 8192,
      maxFiles: 0,
    });
    const options = resolveFileSink(entry, resolveContext);
    const aside = `${options.directory}.aside`;
    return {
      create: () => new FileSink(options),
      async read() {
        const names = (await readdir(options.directory))
          .filter((name) => name.endsWith(".ndjson"))
          .toSorted();
        const texts = await Promise.all(
          names.map((name) => readFile(join(options.directory, name), "utf8")),
        );
        return texts.flatMap((text) =>
          text
            .split("\n")
            .filter(Boolean)
            .map((line) => JSON.parse(line)),
        );
      },
      // With the directory gone and a file in its place the next rotation cannot make a file.
      async breakDown() {
        await rename(options.directory, aside);
        await writeFile(options.directory, "in the way");
      },
      async repair() {
        await rm(options.directory);
        await rename(aside, options.directory);
      },
    };
  },
});
