import { readAll, type Send } from "#upstream/answer.ts";

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

/** Posts a form through the one dialer and gives the parsed answer: how token servers are asked. */
export const postForm =
  (send: Send) =>
  async (url: string, form: Readonly<Record<string, string>>): Promise<unknown> => {
    const answer = await send({
      method: "POST",
      url: new URL(url),
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: Buffer.from(new URLSearchParams(form).toString()),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headTimeoutMs: TIMEOUT_MS,
      idleTimeoutMs: TIMEOUT_MS,
    });
    const text = (await readAll(answer, MAX_BYTES)).toString();
    // The answer may hold a token: it is never part of a message.
    if (answer.status !== 200) throw new Error(`the token server answered ${answer.status}`);
    return JSON.parse(text) as unknown;
  };
