import { createHash } from "node:crypto";

import { FAILURES, GatewayError, invalidRequest } from "#canonical/failure.ts";
import type { Deed } from "#governance/deed.ts";
import { canonicalJson } from "#lib/canonical-json.ts";
import {
  claimAnswer,
  deleteAnswersBefore,
  dropAnswer,
  keepAnswer,
  type StoredAnswer,
} from "#store/idempotent-answers.ts";

/** Encrypts what is kept: an answer may show a new key, which nothing else at rest does. */
export interface Sealer {
  seal(plain: Buffer, context: string): Buffer;
  open(sealed: Buffer, context: string): Buffer;
}

export interface IdempotentRequest {
  /** The `Idempotency-Key`. */
  readonly key: string;
  /** Method and path. */
  readonly route: string;
  readonly body: unknown;
}

export interface PlainAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly version?: number;
  /** It was given before. */
  readonly replayed?: true;
}

/** How long first answers are given again. */
const KEPT_MS = 24 * 60 * 60 * 1_000;
const MAX_KEY = 255;

/**
 * Does something once however often it is asked for under the same key: the first answer is given
 * again for 24 hours. A failure is not kept. Throws `conflict` while the first is under way, and
 * `idempotency_mismatch` where the key was used for something else.
 */
export async function idempotently(
  { deed, sealer }: { readonly deed: Deed; readonly sealer: Sealer },
  { key, route, body }: IdempotentRequest,
  act: () => Promise<PlainAnswer>,
): Promise<PlainAnswer> {
  if (key.length > MAX_KEY || !/^[\x21-\x7e]+$/.test(key)) {
    throw invalidRequest(
      "Idempotency-Key",
      `Idempotency-Key must be 1 to ${MAX_KEY} visible ASCII characters.`,
    );
  }
  const { core, actor, now } = deed;
  const id = hashOf([actor.userId ?? actor.via.id, route, key]);
  const requestHash = hashOf(body);
  await deleteAnswersBefore(core, now - KEPT_MS);
  const known = await claimAnswer(core, id, { requestHash, now });
  if (known !== undefined) return answerAgain(known, { id, requestHash, sealer });
  const answer = await act().catch(async (error: unknown) => {
    // A failed store may have done it all the same: then nobody may do it again under this key.
    if (isRefusal(error)) await dropAnswer(core, id).catch(() => undefined);
    throw error;
  });
  const plain = Buffer.from(JSON.stringify(answer));
  await keepAnswer(core, id, { status: answer.status, sealed: sealer.seal(plain, id) });
  return answer;
}

const isRefusal = (error: unknown): boolean =>
  error instanceof GatewayError && FAILURES[error.failure.code].status < 500;

const hashOf = (value: unknown): string =>
  createHash("sha256").update(canonicalJson(value)).digest("hex");

interface Asked {
  readonly id: string;
  readonly requestHash: string;
  readonly sealer: Sealer;
}

function answerAgain(known: StoredAnswer, { id, requestHash, sealer }: Asked): PlainAnswer {
  if (known.requestHash !== requestHash) {
    throw new GatewayError({
      code: "idempotency_mismatch",
      field: "Idempotency-Key",
      message: "This Idempotency-Key was used for another request. Use a new one.",
    });
  }
  if (known.sealed === null) {
    throw new GatewayError({
      code: "conflict",
      field: "Idempotency-Key",
      message: "The first request with this Idempotency-Key is not done. Ask again in a moment.",
      retryAfterMs: 1_000,
    });
  }
  const answer = JSON.parse(sealer.open(Buffer.from(known.sealed), id).toString()) as PlainAnswer;
  return { ...answer, replayed: true };
}
