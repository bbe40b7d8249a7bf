import {
  type ConnectOptions,
  clientSecretReference,
  givenOptions,
  passwordReference,
  tokenOptions,
  usage,
} from "./credentials.ts";

/** The credentials as a Kafka sink has them; empty without any. Throws CERTWIRE_USAGE. */
export function saslEntry(options: ConnectOptions): object {
  const { mechanism } = options;
  assertFits(options);
  if (mechanism === "oauthbearer") return { sasl: { mechanism, oauth: oauthEntry(options) } };
  if (mechanism === "aws-msk-iam") return { sasl: { mechanism, aws: awsEntry(options) } };
  const { username } = options;
  const password = passwordReference(options);
  if ((username === undefined) !== (password === undefined)) {
    throw usage("--username and a password belong together", "Use --password-file FILE.");
  }
  return username === undefined ? {} : { sasl: { mechanism, username, password } };
}

const passwordOptions = {
  username: "--username",
  passwordFile: "--password-file",
  passwordEnvironment: "--password-environment",
};

/** An option of another mechanism would be ignored. */
function assertFits(options: ConnectOptions): void {
  const { mechanism } = options;
  const [stranger] = [
    ...(mechanism === "oauthbearer" ? [] : givenOptions(options, tokenOptions)),
    ...(mechanism === "aws-msk-iam" ? [] : givenOptions(options, { awsRegion: "--aws-region" })),
    ...(/^(plain|scram)/.test(mechanism) ? [] : givenOptions(options, passwordOptions)),
  ];
  if (stranger === undefined) return;
  throw usage(`${stranger} is not for --mechanism ${mechanism}`, "See certwire verify --help.");
}

function oauthEntry(options: ConnectOptions): object {
  const { tokenEndpoint, clientId, clientAuthentication, scope, tokenCaFile } = options;
  const clientSecret = clientSecretReference(options);
  if (tokenEndpoint === undefined || clientId === undefined || clientSecret === undefined) {
    throw usage(
      "--mechanism oauthbearer needs --token-endpoint, --client-id and a client secret",
      "Use --client-secret-file FILE.",
    );
  }
  return {
    tokenEndpoint,
    clientId,
    clientSecret,
    ...(clientAuthentication !== undefined && { clientAuthentication }),
    ...(scope !== undefined && { scope }),
    ...(tokenCaFile !== undefined && { caFile: tokenCaFile }),
    ...(options.saslExtension && { extensions: extensionsOf(options.saslExtension) }),
  };
}

function awsEntry({ awsRegion: region }: ConnectOptions): object {
  if (region === undefined) throw usage("--mechanism aws-msk-iam needs --aws-region");
  return { region };
}

function extensionsOf(pairs: readonly string[]): object {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw usage("--sasl-extension must be name=value");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
