import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate with dates that nobody can read: its end, in January 2020, is in a month 99. */
export function withUnreadableEnd(pem: string): string {
  const der = Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ""), "base64");
  der.write("209931", der.indexOf("200131000000Z"), "latin1");
  return `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
}

/** Makes a self-signed certificate for `localhost` that was valid in January 2020, and its key; both in PEM. */
export function expiredCertificate(directory: string): {
  readonly cert: string;
  readonly key: string;
} {
  const path = (name: string): string => join(directory, name);
  const openssl = (...words: readonly string[]) =>
    execFileSync("openssl", words, { stdio: "pipe", cwd: directory });
  const lines = [
    "[ca]\ndefault_ca=own",
    "[own]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any",
    "[any]\ncommonName=supplied",
    "[request]\ndistinguished_name=subject\n[subject]",
  ];
  writeFileSync(path("openssl.cnf"), `${lines.join("\n")}\n`);
  writeFileSync(path("index.txt"), "");
  writeFileSync(path("serial"), "01\n");
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    "key.pem",
  ];
  const request = ["req", "-new", "-config", "openssl.cnf", "-reqexts", "subject"];
  openssl(...request, "-subj", "/CN=localhost", ...key, "-out", "request.pem");
  const dates = ["-startdate", "20200101000000Z", "-enddate", "20200131000000Z"];
  const files = ["-in", "request.pem", "-out", "certificate.pem", "-notext"];
  openssl(
    "ca",
    "-batch",
    "-selfsign",
    "-config",
    "openssl.cnf",
    "-keyfile",
    "key.pem",
    ...dates,
    ...files,
  );
  return {
    cert: readFileSync(path("certificate.pem"), "utf8"),
    key: readFileSync(path("key.pem"), "utf8"),
  };
}
