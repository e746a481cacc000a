import { embeddedFailure } from "#canonical/parse-json-error.ts";
import type { Candidate, ChatResponse } from "#canonical/chat-response.ts";
import type { Failure } from "#canonical/failure.ts";
import type { Citation, Part, ToolCallPart } from "#canonical/message.ts";
import { unwrapSignature } from "#canonical/signature.ts";
import { asNumber, asObject, asObjects, asString, compact, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Dialect } from "#protocols/codec.ts";

import {
  argumentsText,
  contentPieces,
  madeUpCallId,
  parseAnnotations,
  parseImages,
  plainReasoning,
  spokenPart,
  topLevelCitations,
  withPlainText,
  withSignature,
} from "./answer-parts.ts";
import { parseFinishReason, settledFinishReason } from "./finish-reason.ts";
import { googleSignature } from "./parse-parts.ts";
import { parseUsage } from "./parse-usage.ts";
import { parseReasoningDetails } from "./reasoning-details.ts";

/** Reads a whole answer; a failure when the 200 holds an error or no answer. */
export function parseResponse(body: JsonObject, dialect: Dialect): ChatResponse | Failure {
  const failure = embeddedFailure(body);
  if (failure !== undefined) return failure;
  const choices = asObjects(body["choices"]);
  if (choices.length === 0) {
    return {
      code: "upstream_malformed",
      message: "the provider's answer has no choices",
      upstreamStatus: 200,
    };
  }
  const id = asString(body["id"]) ?? "";
  const sources = topLevelCitations(body);
  return {
    id,
    model: asString(body["model"]) ?? "",
    candidates: choices.map((choice) => parseChoice(choice, id, sources)),
    ...compact({
      created: asNumber(body["created"]),
      usage: parseUsage(body["usage"] ?? choices[0]?.["usage"], dialect),
      serviceTier: asString(body["service_tier"]) || undefined,
    }),
  };
}

function parseChoice(
  choice: JsonObject,
  responseId: string,
  sources: readonly Citation[],
): Candidate {
  const message = asObject(choice["message"]);
  const parts = parseAnswer(message, responseId, sources);
  const hasToolCalls = parts.some((part) => part.type === "tool-call");
  const logprobs = asObjects(asObject(choice["logprobs"])["content"]);
  return {
    parts,
    finishReason: settledFinishReason(parseFinishReason(choice["finish_reason"]), hasToolCalls),
    ...(logprobs.length > 0 && { logprobs }),
  };
}

function parseAnswer(
  message: JsonObject,
  responseId: string,
  sources: readonly Citation[],
): Part[] {
  const calls = parseCalls(message, responseId);
  const ids = new Set(calls.map((call) => call.id));
  const details = parseReasoningDetails(asObjects(message["reasoning_details"]), ids);
  const signed = calls.map((call) => withSignature(call, details.toolSignatures.get(call.id)));
  const refusal = asString(message["refusal"]) ?? "";
  const parts: Part[] = [
    ...withPlainText(details.parts, plainReasoning(message)),
    ...contentParts(message, sources),
    ...(refusal === "" ? [] : [{ type: "refusal", text: refusal } as const]),
    ...spokenAnswer(message["audio"]),
    ...parseImages(message["images"]),
    ...signed,
  ];
  return withMessageSignature(parts, googleSignature(message));
}

function contentParts(message: JsonObject, sources: readonly Citation[]): Part[] {
  const pieces = contentPieces(message["content"]);
  const parts = pieces.map(({ kind, text }): Part =>
    kind === "thinking" ? { type: "reasoning", text } : { type: "text", text },
  );
  const citations = [...parseAnnotations(message["annotations"]), ...sources];
  const at = parts.findLastIndex((part) => part.type === "text");
  const part = parts[at];
  if (citations.length === 0 || part?.type !== "text") return parts;
  return parts.with(at, { ...part, citations });
}

/** Snowflake sends an empty `audio` with every answer. */
function spokenAnswer(value: unknown): Part[] {
  const audio = asObject(value);
  const data = asString(audio["data"]) ?? "";
  const transcript = asString(audio["transcript"]) ?? "";
  return data === "" ? [] : [spokenPart(data, transcript, "audio/wav")];
}

function parseCalls(message: JsonObject, responseId: string): ToolCallPart[] {
  const calls = asObjects(message["tool_calls"]).map((call, at) =>
    parseCall(call, madeUpCallId(responseId, at)),
  );
  const legacy = asObject(message["function_call"]);
  const name = asString(legacy["name"]) ?? "";
  if (name === "" || calls.length > 0) return calls;
  const input = argumentsText(legacy["arguments"]);
  return [{ type: "tool-call", id: madeUpCallId(responseId, 0), name, kind: "function", input }];
}

function parseCall(call: JsonObject, otherwiseId: string): ToolCallPart {
  const id = asString(call["id"]) || otherwiseId;
  const token = googleSignature(call);
  const signed = token === undefined ? {} : { signature: unwrapSignature(token, "gemini") };
  if (call["type"] === "custom" && isObject(call["custom"])) {
    const { name, input } = call["custom"];
    const named = { id, name: asString(name) ?? "", input: asString(input) ?? "" };
    return { type: "tool-call", kind: "custom", ...named, ...signed };
  }
  const called = asObject(call["function"]);
  const named = {
    id,
    name: asString(called["name"]) ?? "",
    input: argumentsText(called["arguments"]),
  };
  return { type: "tool-call", kind: "function", ...named, ...signed };
}

/** Gemini's token of the message belongs to its last text, or else to its first tool call. */
function withMessageSignature(parts: Part[], token: string | undefined): Part[] {
  if (token === undefined) return parts;
  const signature = unwrapSignature(token, "gemini");
  const text = parts.findLastIndex((part) => part.type === "text");
  const at = text === -1 ? parts.findIndex((part) => part.type === "tool-call") : text;
  const part = parts[at];
  if (part?.type !== "text" && part?.type !== "tool-call") {
    return [...parts, { type: "reasoning", text: "", signature }];
  }
  return part.signature === undefined ? parts.with(at, { ...part, signature }) : parts;
}
