import { createRequire } from "node:module";
import { CertwireError } from "./errors/certwire-error.ts";

/** What is installed for a simulated CA, all at once. */
const simulatedCa = {
  need: "A simulated CA needs",
  install: "@noble/curves@2 @peculiar/asn1-csr@2 @peculiar/asn1-schema@2 @peculiar/asn1-x509@2",
} as const;

/** The optional libraries: what needs each, and what to install for it. */
const libraries = {
  "@noble/curves": simulatedCa,
  "@peculiar/asn1-csr": simulatedCa,
  "@peculiar/asn1-schema": simulatedCa,
  "@peculiar/asn1-x509": simulatedCa,
  "@noble/post-quantum": { need: "ML-DSA keys need", install: "@noble/post-quantum@0" },
  "@testcontainers/kafka": { need: "startKafka needs", install: "@testcontainers/kafka" },
  "@testcontainers/rabbitmq": { need: "startRabbitMq needs", install: "@testcontainers/rabbitmq" },
} as const;

/** Package name of an optional library. */
export type LibraryName = keyof typeof libraries;

const require = createRequire(import.meta.url);

/** The modules so far, by their full name. */
const loaded = new Map<string, unknown>();

/**
 * Loads a library when it is first needed, at once, so that making an event needs no `await`. `path`: a module of the
 * library; default its main one. Throws CERTWIRE_OPTIONAL_LIBRARY if it is not installed.
 */
export function loadLibrary(name: LibraryName, path = ""): unknown {
  const module = `${name}${path}`;
  if (!loaded.has(module)) loaded.set(module, load(name, module));
  return loaded.get(module);
}

/** Loads a dependency of a library, in the version that the library itself uses. Throws as `loadLibrary` does. */
export function loadDependency(name: LibraryName, dependency: string): unknown {
  loadLibrary(name);
  return createRequire(require.resolve(name))(dependency);
}

function load(name: LibraryName, module: string): unknown {
  try {
    return require(module);
  } catch (cause) {
    throw missing(name, cause);
  }
}

function missing(name: LibraryName, cause: unknown): unknown {
  const { code, message } = cause as NodeJS.ErrnoException;
  const isMissing = code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND";
  // A library that is there may lack one of its own; its path is in the message then, without the quote.
  if (!isMissing || !new RegExp(`'${name}['/]`).test(message)) return cause;
  const { need, install } = libraries[name];
  return new CertwireError("CERTWIRE_OPTIONAL_LIBRARY", `${need} the package ${name}`, {
    cause,
    hint: `Run this where certwire is installed: npm install --save-dev ${install}`,
  });
}
