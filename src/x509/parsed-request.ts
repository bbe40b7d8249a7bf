import type { CertificateExtensions, KeyPurpose } from "./certificate-extensions.ts";
import type { DistinguishedName } from "./name.ts";
import type { PublicKey } from "./public-key.ts";

/** A certificate that a request has in it or refers to. */
export interface CertificateReference {
  /** Upper-case hex without leading zero bytes. */
  serialNumber?: string;
  issuer?: DistinguishedName;
  subject?: DistinguishedName;
  /** SHA-256 of the certificate, lower-case hex. */
  sha256?: string;
}

/** Who signed a message around the request; `subject` and `sha256` only if the certificate is included. */
export interface RequestSigner extends CertificateReference {
  /** Of the signer's key, lower-case hex; only if the message names the key and not the certificate. */
  subjectKeyIdentifier?: string;
}

/** What the client says about itself. */
export interface ClientInfo {
  /** Word of `clientIdCode`, or `unknown`. */
  clientId?: string;
  /** RequestClientInfoClientId of certenroll.h. */
  clientIdCode?: number;
  machineName?: string;
  userName?: string;
  processName?: string;
}

/** A name and value pair of the client. */
export interface NameValuePair {
  /** Absent if it may hold a secret itself. */
  readonly name?: string;
  readonly value?: string;
  /** True if the value is or may be a secret. */
  readonly redacted?: true;
}

/**
 * What a certification request asks for; a part that it does not have, or that could not be read, is absent. The
 * requester wrote all of it, and Certwire verifies no signature.
 */
export interface ParsedRequest extends CertificateExtensions {
  /** Form of the outermost message; `keygen` is that of Netscape. */
  format?: "pkcs10" | "keygen" | "pkcs7" | "cmc";
  subject?: DistinguishedName;
  publicKey?: PublicKey;
  /** Application policies, which Windows reads before the key purposes. */
  applicationPolicies?: KeyPurpose[];
  /** Version of the client's Windows: major, minor, build, platform. */
  osVersion?: string;
  /** Provider of the private key. */
  csp?: string;
  clientInfo?: ClientInfo;
  /** Name and value pairs, which the CA takes as request attributes. */
  attributes?: NameValuePair[];
  /** Signers of all messages around the request, those of the outermost first. */
  signers?: RequestSigner[];
  /** The certificate that the request renews. */
  renewalCertificate?: CertificateReference;
  /** Attributes and controls that are not shown, secrets among them, by OID. */
  otherAttributes?: { readonly oid: string; readonly name?: string }[];
}
