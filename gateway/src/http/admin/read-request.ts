import type { IncomingHttpHeaders } from "node:http";

import type { FastifyRequest } from "fastify";
import { z } from "zod";

import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import { issueText } from "#lib/issue-text.ts";
import { isObject } from "#lib/json.ts";
import { readBody } from "#pipeline/read-body.ts";

const EMPTY = z.strictObject({});

/** A part of a request by its schema. Throws `invalid_request` that names the field and what is wrong with it. */
export function readPart(
  schema: z.ZodType | undefined,
  value: unknown,
  part: "body" | "query" | "path",
): unknown {
  const result = (schema ?? EMPTY).safeParse(value);
  if (result.success) return result.data;
  const issue = deepest(result.error.issues);
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") path.push(issue.keys[0] ?? "");
  const field = path.length === 0 ? part : path.join(".").slice(0, 200);
  const reason =
    issue.code === "unrecognized_keys"
      ? `is not known here${part === "body" ? ", or not yours to set" : ""}`
      : issueText(issue, { value: valueAt(value, issue.path) });
  throw invalidRequest(field, `${field} ${reason}.`);
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (at, name) => (isObject(at) || Array.isArray(at) ? Reflect.get(at, name) : at),
    value,
  );

/** Of alternatives, the one that came nearest is the one that was meant. */
function deepest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue {
  const [issue] = issues;
  if (issue === undefined) throw new Error("a failed check names what failed");
  if (issue.code !== "invalid_union") return issue;
  const inner = issue.errors
    .filter((branch) => branch.length > 0)
    .map(deepest)
    .toSorted((a, b) => b.path.length - a.path.length)[0];
  return inner === undefined ? issue : { ...inner, path: [...issue.path, ...inner.path] };
}

/** The body's object. An absent one is empty: the schema says what is missing. */
export function readJsonBody(request: FastifyRequest): Record<string, unknown> {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (bytes.length === 0) return {};
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new GatewayError({
      code: "unsupported_media_type",
      message: "Send the body as JSON, with the header `content-type: application/json`.",
    });
  }
  return readBody(bytes).object;
}

/** The version in `If-Match`; `*` and no header: any. */
export function expectedVersion(headers: IncomingHttpHeaders): number | "any" | undefined {
  const text = headers["if-match"];
  if (text === undefined) return undefined;
  if (text.trim() === "*") return "any";
  const version = /^\s*"v(\d{1,15})"\s*$/.exec(text)?.[1];
  if (version === undefined) {
    throw invalidRequest("If-Match", 'If-Match must be an ETag as it was read, such as "v12".');
  }
  return Number(version);
}

export const etagOf = (version: number): string => `"v${version}"`;
