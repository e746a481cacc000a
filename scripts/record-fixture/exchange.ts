import type { ConfiguredProvider } from "../../gateway/src/providers/configured-providers.ts";
import type { HeaderMap, Send, UpstreamAnswer } from "../../gateway/src/upstream/answer.ts";

/** A request as it is about to be sent; the credential is added while sending. */
export interface Outgoing {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly wrongKey: boolean;
}

/** What came back, byte for byte. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly bytes: Buffer;
  /** Lengths of the reads from the socket. */
  readonly chunkSizes: readonly number[];
  /** The headers that carried the credential. */
  readonly credentials: readonly string[];
}

const TIMEOUT_MS = 300_000;
const WRONG_KEY = "sk-this-key-does-not-exist-0000000000000000";

/** Sends one request with the provider's credential. Rejects where the connection fails. */
export async function exchange(
  send: Send,
  { authorize }: ConfiguredProvider,
  { url, headers, body, wrongKey }: Outgoing,
): Promise<RawAnswer> {
  const authorization = await authorize({ method: "POST", url, body });
  const answer = await send({
    method: "POST",
    url,
    headers: { ...headers, ...(wrongKey ? spoiled(authorization) : authorization) },
    body,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headTimeoutMs: TIMEOUT_MS,
    idleTimeoutMs: TIMEOUT_MS,
  });
  const chunks = await readChunks(answer);
  return {
    status: answer.status,
    headers: answer.headers,
    bytes: Buffer.concat(chunks),
    chunkSizes: chunks.map(({ length }) => length),
    credentials: Object.values(authorization),
  };
}

const readChunks = (answer: UpstreamAnswer): Promise<readonly Buffer[]> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    answer.read({
      data: (chunk) => void chunks.push(chunk),
      end: () => resolve(chunks),
      fail: reject,
    });
  });

/** Headers of the same form with a credential that nobody has. */
const spoiled = (authorization: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(authorization).map(([name, value]) => [name, spoiledValue(name, value)]),
  );

function spoiledValue(name: string, value: string): string {
  if (value.startsWith("AWS4-"))
    return value.replace(/Signature=.*/, `Signature=${"0".repeat(64)}`);
  if (name.startsWith("x-amz-")) return value;
  return value.startsWith("Bearer ") ? `Bearer ${WRONG_KEY}` : WRONG_KEY;
}
