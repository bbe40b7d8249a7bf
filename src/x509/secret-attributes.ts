import { oidOctets } from "./oid.ts";
import { mentionsSecret } from "./secret-names.ts";

/**
 * Attributes and controls whose values are secret: always, or if they mention one by name.
 * docs/reference/what-is-secret.md says why.
 */
export const secretRequestAttributes: ReadonlyMap<string, "always" | "by-name"> = new Map([
  ["1.2.840.113549.1.9.7", "always"], // challenge password of PKCS#9
  ["1.3.6.1.4.1.311.21.13", "always"], // archived private key, encrypted for the CA
  ["1.3.6.1.4.1.311.21.28", "always"], // attestation challenge
  ["1.3.6.1.4.1.311.21.35", "always"], // answer to a challenge of SCEP
  ["1.3.6.1.4.1.311.21.40", "always"], // secret of a SCEP server
  ["1.3.6.1.5.5.7.5.1.1", "always"], // CRMF registration token
  ["1.3.6.1.5.5.7.5.1.2", "always"], // CRMF authenticator
  ["1.3.6.1.5.5.7.7.3", "always"], // CMC identity proof, a hash with a shared secret
  ["1.3.6.1.5.5.7.7.10", "always"], // CMC decrypted proof of possession
  ["1.3.6.1.5.5.7.7.23", "always"], // CMC proof that links to a shared secret, keyed with it
  ["1.3.6.1.5.5.7.7.33", "always"], // the same, version 2
  ["1.3.6.1.5.5.7.7.34", "always"], // CMC identity proof, version 2
  ["1.3.6.1.4.1.311.13.2.1", "by-name"], // name and value pair of an enrolment client
  ["1.3.6.1.5.5.7.7.18", "by-name"], // CMC registration info: request attributes as text
]);

/** The octets of the OIDs, to find secrets at places that the walk does not reach. */
const secretOctets: readonly Buffer[] = [...secretRequestAttributes.keys()].map(oidOctets);

/** The number of OIDs of secrets, wherever they stand. */
export function secretsIn(bytes: Buffer): number {
  return secretOctets.reduce((sum, octets) => sum + occurrences(bytes, octets), 0);
}

function occurrences(bytes: Buffer, octets: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(octets); at >= 0; at = bytes.indexOf(octets, at + 1)) count += 1;
  return count;
}

/** True if a text of any string type, UTF-16 of both byte orders included, has the name of a secret in it. */
export function mentionsSecretName(content: Buffer): boolean {
  const texts = [content.toString("latin1"), content.toString("utf8")];
  // After the header of an element, UTF-16 may begin at an odd offset.
  for (const start of [0, 1]) {
    const even = Buffer.from(
      content.subarray(start, content.length - ((content.length - start) & 1)),
    );
    texts.push(even.toString("utf16le"), even.swap16().toString("utf16le"));
  }
  return texts.some(mentionsSecret);
}
