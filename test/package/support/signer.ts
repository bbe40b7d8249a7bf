import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";

/** The certificate and key of a signer, made for a test. */
export interface TestSigner {
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
  const newKey = ["-newkey", "rsa:2048", "-passout", `file:${passwordFile}`];
  const root = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"];
  const caFiles = ["-keyout", path("ca.key"), "-out", path("ca.pem")];
  openssl("req", "-x509", ...newKey, ...caFiles, "-subj", "/CN=Certwire test CA", ...root);
  const request = ["-keyout", path("signer.key"), "-out", path("signer.csr")];
  openssl("req", ...newKey, ...request, "-subj", `/CN=${commonName}`);
  writeFileSync(
    path("extensions"),
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,codeSigning\n",
  );
  const issuer = ["-CA", path("ca.pem"), "-CAkey", path("ca.key")];
  openssl(
    ...["x509", "-req", "-in", path("signer.csr"), ...issuer, "-passin", `file:${passwordFile}`],
    ...["-extfile", path("extensions"), "-out", path("signer.pem")],
  );
  return {
    root: path("ca.pem"),
    certificate: path("signer.pem"),
    key: path("signer.key"),
    passwordFile,
  };
}
