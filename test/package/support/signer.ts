import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";

/** The certificate and key of a signer, made for a test. */
export interface TestSigner {
  /** Its files, also those of a time-stamp authority: see `timestamp-server.ts`. */
  readonly directory: string;
  /** Files in PEM. */
  readonly root: string;
  readonly certificate: string;
  /** Encrypted. */
  readonly key: string;
  /** Holds the password of the key. */
  readonly passwordFile: string;
}

/** Makes a CA and a certificate for signing code. */
export function makeSigner(commonName = "Certwire test signer"): TestSigner {
  const directory = makeTempDirectory("signer");
  const path = (name: string): string => join(directory, name);
  const passwordFile = path("password");
  writeFileSync(passwordFile, "test password\n");
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
  const password = `file:${passwordFile}`;
  const newKey = ["-newkey", "rsa:2048", "-passout", password];
  const root = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"];
  const caFiles = ["-keyout", path("ca.key"), "-out", path("ca.pem")];
  openssl("req", "-x509", ...newKey, ...caFiles, "-subj", "/CN=Certwire test CA", ...root);
  const issue = (name: string, subject: string, usage: string): void => {
    const request = ["-keyout", path(`${name}.key`), "-out", path(`${name}.csr`)];
    openssl("req", ...newKey, ...request, "-subj", `/CN=${subject}`);
    writeFileSync(
      path("extensions"),
      `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,${usage}\n`,
    );
    const issuer = ["-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-passin", password];
    const out = ["-extfile", path("extensions"), "-out", path(`${name}.pem`)];
    openssl("x509", "-req", "-in", path(`${name}.csr`), ...issuer, ...out);
  };
  issue("signer", commonName, "codeSigning");
  issue("tsa", "Certwire test TSA", "timeStamping");
  writeFileSync(path("serial"), "01\n");
  writeFileSync(
    path("tsa.cnf"),
    `[tsa]
default_tsa = settings
[settings]
serial = ${path("serial")}
signer_cert = ${path("tsa.pem")}
certs = ${path("ca.pem")}
signer_key = ${path("tsa.plain.key")}
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
`,
  );
  openssl("rsa", "-in", path("tsa.key"), "-passin", password, "-out", path("tsa.plain.key"));
  return {
    directory,
    root: path("ca.pem"),
    certificate: path("signer.pem"),
    key: path("signer.key"),
    passwordFile,
  };
}
