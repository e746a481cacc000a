import type { Kysely } from "kysely";

import {
  deleteOldIdempotencyKeys,
  findHold,
  finishIdempotencyKey,
  releaseIdempotencyKey,
  takeIdempotencyKey,
  type IdempotencyRow,
} from "#store/idempotency.ts";
import type { CoreTables } from "#store/schema.ts";

/** What a request with a key is to others that come with the same one. */
export type Claim =
  | { readonly as: "first"; readonly lease: Lease }
  | { readonly as: "in-flight" | "other-body"; readonly requestId: string }
  | { readonly as: "completed"; readonly requestId: string; readonly told: Told };

/** What a repetition is told of the first request: never its answer. */
export interface Told {
  readonly chargeNanoUsd?: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

export interface Lease {
  /** It was answered: it is never done again. */
  finish(told: Told): Promise<void>;
  /** It was not: it may be repeated. */
  release(): Promise<void>;
}

export interface IdempotencyKeys {
  claim(request: Claimed): Promise<Claim>;
  /** Forgets keys that are older than a day. */
  purge(): Promise<void>;
}

export interface Claimed {
  /** Digest of whose it is, what it is for, and the client's key. */
  readonly id: string;
  readonly bodyDigest: string;
  readonly requestId: string;
}

const KEPT_MS = 24 * 60 * 60 * 1_000;
/** No request takes longer; one whose gateway died is not waited for any longer. */
const LONGEST_MS = 20 * 60 * 1_000;

/** Keys that clients give their requests, so that each is done once however often it is sent. */
export function createIdempotencyKeys(
  core: Kysely<CoreTables>,
  { owner, now }: { readonly owner: string; readonly now: () => number },
): IdempotencyKeys {
  const claim = async (request: Claimed): Promise<Claim> => {
    const { id, bodyDigest, requestId } = request;
    const row = {
      id,
      body_digest: bodyDigest,
      request_id: requestId,
      state: "open",
      owner,
      result: null,
      created_at: now(),
    } as const;
    const held = await takeIdempotencyKey(core, row);
    if (held === undefined) {
      return {
        as: "first",
        lease: {
          finish: (told) =>
            finishIdempotencyKey(core, { id, requestId, result: JSON.stringify(told) }),
          release: () => releaseIdempotencyKey(core, id, requestId),
        },
      };
    }
    const known = await resolved(held);
    if (known !== undefined)
      return known.as === "free" ? claim(request) : compare(known.claim, held, request);
    return compare({ as: "in-flight", requestId: held.request_id }, held, request);
  };

  /** What has become of the request that has a key; `undefined`: it is under way. */
  const resolved = async (
    held: IdempotencyRow,
  ): Promise<{ as: "free" } | { as: "taken"; claim: Claim } | undefined> => {
    const ageMs = now() - held.created_at;
    const told = ageMs > KEPT_MS ? "nothing" : await toldOf(core, held);
    if (typeof told === "object") {
      return { as: "taken", claim: { as: "completed", requestId: held.request_id, told } };
    }
    if (told === "unknown" && ageMs <= LONGEST_MS) return undefined;
    await releaseIdempotencyKey(core, held.id, held.request_id);
    return { as: "free" };
  };

  return { claim, purge: () => deleteOldIdempotencyKeys(core, now() - KEPT_MS) };
}

const compare = (claim: Claim, held: IdempotencyRow, { bodyDigest }: Claimed): Claim =>
  held.body_digest === bodyDigest ? claim : { as: "other-body", requestId: held.request_id };

/** Where its process has died, what became of its money says whether a request was answered. */
async function toldOf(
  core: Kysely<CoreTables>,
  held: IdempotencyRow,
): Promise<Told | "nothing" | "unknown"> {
  if (held.state === "done") return JSON.parse(held.result ?? "{}") as Told;
  const hold = await findHold(core, held.request_id);
  if (hold === undefined || hold.state === "open") return "unknown";
  return hold.state === "voided" ? "nothing" : { chargeNanoUsd: String(hold.charged ?? 0) };
}
