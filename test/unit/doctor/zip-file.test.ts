import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { zipOf } from "../../../src/doctor/zip-file.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

test("another program reads each file of an archive as it was, with its name and time", (t) => {
  const path = join(temporaryDirectory(t), "a.zip");
  const entries = [
    { name: "README.txt", content: "read me\n" },
    { name: "logs/Zertifikate für CA.log", content: "ü\n".repeat(100_000) },
    { name: "empty", content: "" },
  ];
  writeFileSync(path, zipOf(entries, new Date("2026-06-15T12:34:56Z")));
  const program =
    "import sys,zipfile,json\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n" +
    "print(json.dumps([[i.filename,list(i.date_time),z.read(i).decode()] for i in z.infolist()]))";
  const output = execFileSync("python3", ["-c", program, path], { maxBuffer: 2 ** 24 });
  assert.deepEqual(
    JSON.parse(output.toString()),
    entries.map(({ name, content }) => [name, [2026, 6, 15, 12, 34, 56], content]),
  );
});
