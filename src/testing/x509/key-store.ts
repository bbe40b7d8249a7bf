import { SeededRandom } from "../../simulate/seeded-random.ts";
import type { SigningKey } from "../../simulate/signing-key.ts";
import { createKey, type KeyKind } from "./keys.ts";

/** RSA keys of requests: a new one takes a tenth of a second and more, so requests share these few. */
const rsaKeyCount = 3;

/** Keys that take long to make, made before in this process: each test has its own CA, mostly with the same seed. */
const made = new Map<string, SigningKey>();

/** The keys that follow from a seed. */
export class KeyStore {
  readonly #seed: string;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A key of the CA; `renewals`: how often the CA has been renewed. */
  authorityKey(kind: KeyKind, renewals: number): SigningKey {
    return this.#key(`authority/${renewals}`, kind);
  }

  /** The key of a request: its own one, or for RSA one of a few. */
  requestKey(kind: KeyKind, requestId: number): SigningKey {
    const number = kind.startsWith("rsa") ? requestId % rsaKeyCount : requestId;
    return this.#key(`request/${number}`, kind);
  }

  #key(label: string, kind: KeyKind): SigningKey {
    const name = `${this.#seed}/${label}/${kind}`;
    if (kind.startsWith("p-")) return createKey(new SeededRandom(name), kind);
    const key = made.get(name) ?? createKey(new SeededRandom(name), kind);
    made.set(name, key);
    return key;
  }
}
