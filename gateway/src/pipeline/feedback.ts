import type { Kysely } from "kysely";

import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import { asObject, asString, type JsonObject } from "#lib/json.ts";
import type { Learner } from "#pipeline/learner.ts";
import { subjectOf } from "#privacy/content-owner.ts";
import type { Envelope } from "#privacy/envelope.ts";
import type { Score, Subject } from "#routing/learning/route-learning.ts";
import { replaceFeedback, type FeedbackRow } from "#store/feedback.ts";
import { findRecord, type RecordRow } from "#store/request-records.ts";
import type { RecordTables } from "#store/schema.ts";

/** What a caller says of an answer. */
export interface Feedback {
  readonly generationId: string;
  /** -1 (bad) … 1 (good). */
  readonly score: number;
  readonly comment?: string;
}

const MAX_COMMENT = 2_000;
const MAX_ID = 100;
const FIELDS: ReadonlySet<string> = new Set(["generation_id", "score", "comment"]);

/** Reads the body of `POST /v1/feedback`. Throws `invalid_request` with field, reason and remedy. */
export function readFeedback(body: JsonObject): Feedback {
  const stranger = Object.keys(body).find((key) => !FIELDS.has(key));
  if (stranger !== undefined) {
    const field = stranger.slice(0, MAX_ID);
    const known = [...FIELDS].join(", ");
    throw invalidRequest(field, `"${field}" is no field of feedback. There are ${known}.`);
  }
  const generationId = body["generation_id"];
  if (typeof generationId !== "string" || generationId === "") {
    throw invalidRequest(
      "generation_id",
      "generation_id must be the id of a request as text: the x-request-id header of its answer.",
    );
  }
  const comment = readComment(body["comment"] ?? undefined);
  return {
    generationId,
    score: readScore(body["score"]),
    ...(comment !== undefined && { comment }),
  };
}

function readScore(value: unknown): number {
  if (value === true || value === "up") return 1;
  if (value === false || value === "down") return -1;
  if (typeof value === "number" && value >= -1 && value <= 1) return value;
  const what = value === undefined ? "is missing: it" : "cannot be that: it";
  throw invalidRequest(
    "score",
    `score ${what} must be a number from -1 (bad) to 1 (good), true or false, "up" or "down".`,
  );
}

function readComment(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string") {
    throw invalidRequest("comment", "comment must be text. Leave it out where there is none.");
  }
  if (value.length <= MAX_COMMENT) return value === "" ? undefined : value;
  throw invalidRequest(
    "comment",
    `comment has ${value.length} characters, and ${MAX_COMMENT} are kept. Send a shorter one.`,
  );
}

interface Deps {
  readonly records: Kysely<RecordTables>;
  readonly envelope: Pick<Envelope, "sealFor">;
  readonly learner: Pick<Learner, "score" | "isEnabled">;
  /** Unix milliseconds. */
  readonly now: () => number;
}

type Caller = Pick<Access, "key" | "organization">;

/** Keeps what a key says of one of its own answers. Throws `not_found` where it has no such request. */
export type GiveFeedback = (access: Caller, feedback: Feedback) => Promise<void>;

/** Feedback that is stored, its comment sealed, and learnt from. */
export const createFeedback =
  ({ records, envelope, learner, now }: Deps): GiveFeedback =>
  async ({ key: { id: keyId }, organization }, { generationId, score, comment }) => {
    const record = await findRecord(records, generationId);
    if (record === undefined || record.key_id !== keyId) throw generationNotFound(generationId);
    const subject = learner.isEnabled() ? taughtBy(record, organization.id) : undefined;
    const at = now();
    const sealed =
      comment === undefined
        ? { comment: null, encryption_key: null }
        : await sealComment(envelope, { comment, record, organizationId: organization.id });
    const before = await replaceFeedback(records, {
      request_id: generationId,
      key_id: keyId,
      organization: organization.id,
      created_at: at,
      score,
      task_class: subject?.taskClass ?? null,
      model: subject?.modelId ?? null,
      ...sealed,
    });
    if (subject !== undefined)
      await learner.score(subject, { score, at, keyId }, learntFrom(before));
  };

interface Commented {
  readonly comment: string;
  readonly record: RecordRow;
  readonly organizationId: string;
}

/** A caller's words are text of the one whom the request was for. */
async function sealComment(
  envelope: Pick<Envelope, "sealFor">,
  { comment, record, organizationId }: Commented,
): Promise<Pick<FeedbackRow, "comment" | "encryption_key">> {
  const subject = subjectOf({
    organizationId,
    projectId: record.project_id ?? "",
    endUser: record.end_user ?? undefined,
  });
  const scope = { organizationId, purpose: "content", subject } as const;
  const { keyId, fields } = await envelope.sealFor(scope, `feedback:${record.id}`, {
    comment: Buffer.from(comment),
  });
  return { comment: fields["comment"] ?? null, encryption_key: keyId };
}

/** What earlier feedback taught: given while learning was off, it has left nothing to take back. */
const learntFrom = (row: FeedbackRow | undefined): Score | undefined =>
  row === undefined || row.task_class === null
    ? undefined
    : { score: row.score, at: row.created_at };

/** The error for a request that is not there, or is another key's. */
const generationNotFound = (id: string): GatewayError =>
  new GatewayError({
    code: "not_found",
    field: "generation_id",
    message: `There is no request "${id.slice(0, MAX_ID)}" of this key. The id is the answer's x-request-id header; feedback can be given once the answer has ended.`,
  });

/** What a request's answer teaches about; nothing where it was in no class, or nobody answered. */
function taughtBy({ decision }: RecordRow, organization: string): Subject | undefined {
  if (decision === null) return undefined;
  const { auto, shadow, model } = asObject(JSON.parse(decision));
  const judged = auto ?? asObject(shadow)["decision"];
  const taskClass = asString(asObject(asObject(judged)["assessment"])["taskClass"]);
  const modelId = asString(model);
  if (taskClass === undefined || modelId === undefined) return undefined;
  return { organization, taskClass, modelId };
}
