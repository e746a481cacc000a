import type { FastifyReply, FastifyRequest } from "fastify";

import { FAILURES, type Failure } from "#canonical/failure.ts";

/** An error of `/api/*`: RFC 9457, with the code that programs read, and the field at fault. */
export interface Problem {
  /** `about:blank`: the status says what kind it is, `code` which one. */
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The path asked for, without its query: that may hold a one-time token. */
  readonly instance: string;
  readonly code: string;
  readonly field?: string;
  readonly request_id: string;
}

export const isApiPath = (url: string): boolean => url.startsWith("/api/");

/** Writes a failure as problem+json. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  failure: Failure,
): FastifyReply {
  const { code, message, field, retryAfterMs } = failure;
  const { status } = FAILURES[code];
  const problem: Problem = {
    type: "about:blank",
    title: titleOf(code),
    status,
    detail: message,
    instance: (request.url.split("?")[0] ?? "").slice(0, 200),
    code,
    ...(field !== undefined && { field }),
    request_id: request.id,
  };
  if (retryAfterMs !== undefined) reply.header("retry-after", Math.ceil(retryAfterMs / 1_000));
  return reply
    .code(status)
    .headers({ "x-request-id": request.id, "cache-control": "no-store" })
    .type("application/problem+json")
    .send(JSON.stringify(problem));
}

/** `not_found` → "Not found". */
const titleOf = (code: string): string =>
  code.charAt(0).toUpperCase() + code.slice(1).replaceAll("_", " ");
