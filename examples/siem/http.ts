/** Longest wait for an answer, in ms. */
const timeoutMs = 30_000;

/** Longest answer that is read, in bytes. */
const maxAnswerBytes = 16 * 1024 * 1024;

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The text as JSON; `undefined` if it is not. */
  readonly json: unknown;
}

/**
 * Posts a body. A redirect is not followed, since it would take the credentials along. Throws an Error that says why if
 * there is no answer.
 */
export async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    const text = await textOf(response);
    return { status: response.status, text, json: jsonOf(text) };
  } catch (cause) {
    throw new Error(`no answer from ${new URL(url).origin}: ${reasonOf(cause)}`, { cause });
  }
}

/** True for a state of the server that ends without anyone's help. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch` says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  const { code, message: reason } = (cause ?? {}) as { code?: string; message?: string };
  return [code, reason].filter(Boolean).join(" ") || message;
}
