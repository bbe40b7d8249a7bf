import { execFileSync } from "node:child_process";

/** The files of an archive by their names, as another program reads them. */
export function unzip(path: string): Map<string, string> {
  const program =
    "import sys,zipfile,json\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n" +
    "print(json.dumps([[n,z.read(n).decode()] for n in z.namelist()]))";
  const output = execFileSync("python3", ["-c", program, path], { maxBuffer: 2 ** 26 });
  return new Map(JSON.parse(output.toString()) as [string, string][]);
}
