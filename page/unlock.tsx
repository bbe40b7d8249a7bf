import type { JSX } from "preact";
import { useState } from "preact/hooks";

/** Asks for the token, which stays in the memory of this page. */
export function Unlock(props: {
  readonly wasRefused: boolean;
  readonly unlock: (token: string) => void;
}): JSX.Element {
  const [token, setToken] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    props.unlock(token.trim());
  };
  return (
    <section class="panel unlock" aria-labelledby="unlock-heading">
      <h2 id="unlock-heading">This endpoint requires a token</h2>
      <form onSubmit={submit}>
        <label for="token">
          Token, from the file that <code>http.token</code> of the configuration names
        </label>
        <div class="row">
          <input
            id="token"
            type="password"
            autocomplete="off"
            required
            value={token}
            aria-describedby={props.wasRefused ? "refused" : undefined}
            aria-invalid={props.wasRefused}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
          <button type="submit">Show the status</button>
        </div>
        {props.wasRefused && (
          <p id="refused" role="alert">
            The service rejected this token.
          </p>
        )}
        <p class="note">The page forgets it when it is closed.</p>
      </form>
    </section>
  );
}
