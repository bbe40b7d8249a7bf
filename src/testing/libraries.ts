import { createRequire } from "node:module";
import { CertwireError } from "../errors/certwire-error.ts";

/** The optional libraries of the test kit, and what each is for. */
const uses = {
  "@noble/post-quantum": "ML-DSA keys",
  "@testcontainers/kafka": "startKafka",
  "@testcontainers/rabbitmq": "startRabbitMq",
} as const;

/** Package name of an optional library. */
export type LibraryName = keyof typeof uses;

const require = createRequire(import.meta.url);

/**
 * Loads a library when it is first needed, at once, so that making an event needs no `await`. `path`: a module of the
 * library; default its main one. Throws CERTWIRE_TESTING_LIBRARY if it is not installed.
 */
export function loadLibrary(name: LibraryName, path = ""): unknown {
  try {
    return require(`${name}${path}`);
  } catch (cause) {
    throw missing(name, cause);
  }
}

/** Loads a dependency of a library, in the version that the library itself uses. Throws as `loadLibrary` does. */
export function loadDependency(name: LibraryName, dependency: string): unknown {
  loadLibrary(name);
  return createRequire(require.resolve(name))(dependency);
}

function missing(name: LibraryName, cause: unknown): unknown {
  const { code, message } = cause as NodeJS.ErrnoException;
  const isMissing = code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND";
  // A library that is there may lack one of its own.
  if (!isMissing || !message.includes(name)) return cause;
  return new CertwireError("CERTWIRE_TESTING_LIBRARY", `${uses[name]} need the package ${name}`, {
    cause,
    hint: `Install it: npm install --save-dev ${name}`,
  });
}
