import { classifyFailure } from "#canonical/classify-failure.ts";
import type { Failure, FailureCode } from "#canonical/failure.ts";
import {
  asArray,
  asNumber,
  asObject,
  asString,
  isObject,
  parseObject,
  ownValue,
} from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { callerMessage } from "#lib/mask-secrets.ts";
import { retryAfterMs } from "#lib/retry-after.ts";

/** What an error body says, whatever its shape. */
interface ErrorFacts {
  readonly message?: string;
  readonly code?: string;
  readonly type?: string;
  readonly field?: string;
}

/** An error answer: status ≥ 400. Header names are lower-case. */
interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Reads an error answer of any provider that answers in OpenAI's manner, whatever the operation. */
export function parseJsonError({ status, headers, text }: ErrorAnswer): Failure {
  const body = parseObject(text) ?? firstOfArray(text);
  const facts = body === undefined ? {} : errorFacts(body);
  const failure = failureOf(facts, status, text);
  const wait = retryAfterMs(headers);
  return wait === undefined ? failure : { ...failure, retryAfterMs: wait };
}

/** Google wraps the error body in an array on some surfaces. */
function firstOfArray(text: string): JsonObject | undefined {
  return text.startsWith("[") ? parseObject(text.slice(1, text.lastIndexOf("]"))) : undefined;
}

/** An error inside a 200 body or a stream's chunk; `undefined` when there is none. */
export function embeddedFailure(body: JsonObject): Failure | undefined {
  const base = asObject(body["base_resp"]);
  const status = asNumber(base["status_code"]) ?? 0;
  if (status !== 0) {
    const message = asString(base["status_msg"]) ?? "";
    return failureOf({ message, code: `minimax-${status}` }, 500, "");
  }
  const error = body["error"];
  if (error === undefined || error === null || error === false || error === "") return undefined;
  const facts = errorFacts(body);
  return failureOf(facts, embeddedStatus(facts), "");
}

/** The status that an error inside a 200 would have had. */
function embeddedStatus({ code = "", type = "" }: ErrorFacts): number {
  if (/^[45]\d\d$/.test(code)) return Number(code);
  const words = `${code} ${type}`;
  if (/rate_limit|too_many|throttl|quota/i.test(words)) return 429;
  if (/overload|unavailable/i.test(words)) return 503;
  if (/auth|api_key/i.test(words)) return 401;
  return /invalid|unsupported|context_length|not_found|content_filter/i.test(words) ? 400 : 500;
}

function errorFacts(body: JsonObject): ErrorFacts {
  const error = body["error"];
  if (isObject(error)) return { ...nestedFacts(error, body), ...rawFacts(error) };
  if (typeof error === "string") {
    // xAI: {code: "words", error: "message"}; Hugging Face: {error: "message"}.
    return facts(error, body["code"] ?? body["error_type"], body["type"]);
  }
  if (typeof body["detail"] === "string") return facts(body["detail"], body["code"], body["type"]);
  if (Array.isArray(body["detail"])) return validationFacts(body["detail"]);
  const message = body["message"] ?? body["msg"];
  return { ...facts(message, body["code"], body["type"]), ...fieldFact(body["param"]) };
}

/** xiaomi puts what is wrong into `param`, under a message that says nothing. */
function nestedFacts(error: JsonObject, body: JsonObject): ErrorFacts {
  const param = asString(error["param"]);
  const isSentence = param !== undefined && /\s/.test(param);
  const message = asString(error["message"]) ?? asString(body["message"]);
  const text = isSentence ? `${message ?? ""}: ${param}` : message;
  return {
    ...facts(text, error["code"], error["type"] ?? error["status"]),
    ...(isSentence ? {} : fieldFact(param)),
  };
}

/**
 * OpenRouter relays the body of the provider behind it as a string. It is read for classification
 * only through its message, and masked like all others: it can hold team and key ids.
 */
function rawFacts(error: JsonObject): ErrorFacts {
  const raw = asString(asObject(error["metadata"])["raw"]);
  if (raw === undefined) return {};
  const inner = parseObject(raw);
  const message = inner === undefined ? raw : errorFacts(inner).message;
  return message === undefined ? {} : { message };
}

/** FastAPI's list of faults: Mistral, Voyage. */
function validationFacts(detail: unknown): ErrorFacts {
  const first = asObject(asArray(detail)[0]);
  const path = asArray(first["loc"]).filter((part) => part !== "body");
  const message = asString(first["msg"]);
  return {
    ...facts(message, first["type"], undefined),
    ...(path.length > 0 && { field: path.join(".") }),
  };
}

function facts(message: unknown, code: unknown, type: unknown): ErrorFacts {
  const number = asNumber(code);
  const codeText = number === undefined ? asString(code) : String(number);
  return {
    ...(typeof message === "string" && { message }),
    ...(codeText !== undefined && codeText !== "" && { code: codeText }),
    ...(typeof type === "string" && type !== "" && { type }),
  };
}

const fieldFact = (param: unknown): ErrorFacts =>
  typeof param === "string" && param !== "" ? { field: param } : {};

/** Codes that say more than status and message do. MiniMax and Zhipu number their failures. */
const CODES: Readonly<Record<string, FailureCode>> = {
  "minimax-1001": "upstream_timeout",
  "minimax-1002": "upstream_rate_limited",
  "minimax-1004": "upstream_auth",
  "minimax-1008": "upstream_quota",
  "minimax-1026": "content_policy",
  "minimax-1027": "content_policy",
  "minimax-1039": "upstream_rate_limited",
  "minimax-1042": "upstream_invalid_request",
  "minimax-2013": "upstream_invalid_request",
  "minimax-2049": "upstream_auth",
  "minimax-2056": "upstream_quota",
  "1113": "upstream_quota",
  "1211": "upstream_model_missing",
  "1261": "context_length_exceeded",
  "1301": "content_policy",
  "1302": "upstream_rate_limited",
  "1303": "upstream_rate_limited",
  "1304": "upstream_quota",
  "1305": "upstream_overloaded",
  "1308": "upstream_quota",
  "1500": "upstream_model_missing",
  context_length_exceeded: "context_length_exceeded",
  content_policy_violation: "content_policy",
  data_inspection_failed: "content_policy",
  content_filter: "content_policy",
  deploymentnotfound: "upstream_model_missing",
  model_not_found: "upstream_model_missing",
  model_not_available: "upstream_model_missing",
  invalid_model: "upstream_model_missing",
  engine_overloaded_error: "upstream_overloaded",
  tool_use_failed: "upstream_error",
  json_validate_failed: "upstream_error",
};

interface Rule {
  readonly code: FailureCode;
  readonly pattern: RegExp;
}

/** Messages of these providers that the common rules do not know. */
const MESSAGES: readonly Rule[] = [
  // xAI answers 403 to content, as to a key without permission.
  {
    code: "content_policy",
    pattern: /violates usage guidelines|content exists risk|inappropriate content/i,
  },
  {
    code: "upstream_model_missing",
    pattern:
      /model\b.{0,120}\b(?:does not exist|not found|not exist|has been deprecated|been retired)|invalid model|unable to access model|not supported model|unknown model|not a valid model|model\s+\S+\s+is not supported/i,
  },
];

function failureOf(found: ErrorFacts, status: number, text: string): Failure {
  const { message, code, type, field } = found;
  const fallback = `the provider answered with status ${status}`;
  const plainText = message ?? (text.startsWith("{") || text.startsWith("[") ? undefined : text);
  const upstreamCode = code ?? type;
  return {
    code: failureCode(found, status),
    message: callerMessage(plainText, fallback),
    ...(field !== undefined && { field }),
    upstreamStatus: status,
    ...(upstreamCode !== undefined && { upstreamCode: callerMessage(upstreamCode, "unknown") }),
  };
}

function failureCode(
  { message = "", code = "", type = "" }: ErrorFacts,
  status: number,
): FailureCode {
  // OpenAI's `insufficient_quota` is final; DashScope's means tokens a minute.
  if (/help\.aliyun\.com\S*#token-limit/.test(message)) return "upstream_rate_limited";
  const known = ownValue(CODES, code.toLowerCase()) ?? ownValue(CODES, type.toLowerCase());
  if (known !== undefined) return known;
  if (status < 500 && status !== 429) {
    const rule = MESSAGES.find(({ pattern }) => pattern.test(message));
    if (rule !== undefined) return rule.code;
  }
  return classifyFailure({ status, code: `${code} ${type}`, message });
}
