import { readAll, type Send } from "#upstream/answer.ts";

const HEAD_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 10_000;
const BODY_LIMIT = 1024 * 1024;

/** What libraries give to `fetch`, as far as the dialer can do it. */
interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | null | undefined;
}

/**
 * `fetch` for libraries that bring their own requests: by way of the guarded dialer, so without
 * redirects, and with answers of 1 MiB at most. GET and POST of text or form fields only.
 */
export const dialerFetch =
  (send: Send) =>
  async (url: string, options: FetchOptions): Promise<Response> => {
    const { method = "GET", headers = {}, signal } = options;
    if (method !== "GET" && method !== "POST") throw new TypeError(`no ${method} here`);
    const body = bodyOf(options.body);
    const answer = await send({
      method,
      url: new URL(url),
      headers: { ...headers, ...(body !== undefined && { "content-length": `${body.length}` }) },
      ...(body !== undefined && { body }),
      signal: signal ?? AbortSignal.timeout(HEAD_TIMEOUT_MS + IDLE_TIMEOUT_MS),
      headTimeoutMs: HEAD_TIMEOUT_MS,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
    });
    const bytes = await readAll(answer, BODY_LIMIT);
    const isEmpty = [204, 205, 304].includes(answer.status);
    const known = Object.entries(answer.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((item): [string, string] => [name, item]),
    );
    return new Response(isEmpty ? null : new Uint8Array(bytes), {
      status: answer.status,
      headers: known,
    });
  };

function bodyOf(body: unknown): Buffer | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string" || body instanceof URLSearchParams) {
    return Buffer.from(body.toString());
  }
  throw new TypeError("only text and form fields can be sent here");
}
