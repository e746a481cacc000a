/** An access token and the moment (milliseconds since the epoch) when it ends. */
export interface AccessToken {
  readonly token: string;
  readonly expiresAt: number;
}

const REFRESH_BEFORE_END_MS = 5 * 60_000;

/**
 * Keeps a token until five minutes before its end. Callers that come while it is being fetched
 * share one request; a failed request is not kept.
 */
export function cachedToken(
  fetchToken: () => Promise<AccessToken>,
  now: () => number,
): () => Promise<string> {
  let current: AccessToken | undefined;
  let pending: Promise<AccessToken> | undefined;
  return async () => {
    if (current !== undefined && now() < current.expiresAt - REFRESH_BEFORE_END_MS) {
      return current.token;
    }
    pending ??= fetchToken().finally(() => {
      pending = undefined;
    });
    current = await pending;
    return current.token;
  };
}
