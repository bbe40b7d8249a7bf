import { join } from "node:path";
import { runCommand } from "./run-command.ts";

/** A certificate and its key in PEM. */
export interface KeyPairFiles {
  readonly certificateFile: string;
  /** PKCS #8 without a passphrase. */
  readonly keyFile: string;
}

/** What a broker with TLS and its client need, made for one test run and two days. */
export interface TestCertificates {
  readonly caFile: string;
  /** Another CA, which nobody trusts. */
  readonly strangerCa: KeyPairFiles;
  /** For the name `localhost` and no address. */
  readonly broker: KeyPairFiles;
  readonly client: KeyPairFiles;
  /** The client's next certificate, with another key. */
  readonly renewedClient: KeyPairFiles;
}

/** Makes everything with OpenSSL in a directory. */
export async function makeCertificates(directory: string): Promise<TestCertificates> {
  const [ca, strangerCa] = await Promise.all([
    issue(directory, "ca", caExtensions),
    issue(directory, "stranger", caExtensions),
  ]);
  const [broker, client, renewedClient] = await Promise.all([
    issue(directory, "broker", ["subjectAltName=DNS:localhost"], ca),
    issue(directory, "client", ["extendedKeyUsage=clientAuth"], ca),
    issue(directory, "renewed-client", ["extendedKeyUsage=clientAuth"], ca),
  ]);
  return { caFile: ca.certificateFile, strangerCa, broker, client, renewedClient };
}

const caExtensions = ["basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign"];

async function issue(
  directory: string,
  name: string,
  extensions: readonly string[],
  issuer?: KeyPairFiles,
): Promise<KeyPairFiles> {
  const certificateFile = join(directory, `${name}.pem`);
  const keyFile = join(directory, `${name}.key`);
  const request = ["req", "-config", "/dev/null", "-x509", "-days", "2", "-subj", `/CN=${name}`];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const signer = issuer ? ["-CA", issuer.certificateFile, "-CAkey", issuer.keyFile] : [];
  const output = ["-keyout", keyFile, "-out", certificateFile];
  const content = extensions.flatMap((extension) => ["-addext", extension]);
  await runCommand("openssl", [...request, ...key, ...signer, ...output, ...content]);
  return { certificateFile, keyFile };
}
