// A time-stamp authority (RFC 3161) on a free port, run by `openssl ts`: its arguments are the directory of its files
// and the file that gets its address. A process of its own, since the tests wait for osslsigncode without a turn.
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const [directory = "", addressFile = ""] = process.argv.slice(2);

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const query = join(directory, "query");
    writeFileSync(query, Buffer.concat(parts));
    const answer = join(directory, "answer");
    const files = ["-queryfile", query, "-out", answer];
    const args = ["ts", "-reply", "-config", join(directory, "tsa.cnf"), ...files];
    execFileSync("openssl", args, { stdio: "pipe" });
    response.setHeader("content-type", "application/timestamp-reply");
    response.end(readFileSync(answer));
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as { port: number };
  writeFileSync(`${addressFile}.new`, `http://127.0.0.1:${port}/`);
  renameSync(`${addressFile}.new`, addressFile);
});
