const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * What is wrong with the URL of a token endpoint; `undefined` if nothing is. It never repeats a part of the URL, since a
 * mistyped one may hold a secret anywhere.
 */
export function tokenEndpointProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return "must be a URL: https://host/path";
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== "" || password !== "") {
    return "the URL holds a user or a password; give clientId and clientSecret instead";
  }
  if (hash !== "") return "the URL must not have a fragment (#)";
  if (protocol === "https:") return undefined;
  if (protocol === "http:" && loopback.test(hostname)) return undefined;
  return "must be an https:// URL; http:// only for this machine (127.0.0.1, ::1, localhost)";
}
