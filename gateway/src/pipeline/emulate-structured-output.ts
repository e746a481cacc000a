import type { ChatRequest } from "#canonical/chat-request.ts";
import type { Candidate } from "#canonical/chat-response.ts";
import type { Part } from "#canonical/message.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { FunctionTool } from "#canonical/tool.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReportLoss } from "#protocols/codec.ts";
import type { Adaptation } from "#pipeline/adapt-request.ts";

/** The tool whose arguments are the answer. */
const ANSWER_TOOL = "json_answer";

/**
 * Structured output for providers that have none: the answer's schema becomes the only tool, which
 * must be called, and its arguments come back as the answer's text. `undefined` where the request
 * asks for no structure, or has tools of its own that a forced call would shut out.
 */
export function emulateStructuredOutput(
  request: ChatRequest,
  reportLoss: ReportLoss,
): Adaptation | undefined {
  const schema = answerSchema(request);
  if (schema === undefined || (request.tools ?? []).length > 0) return undefined;
  reportLoss(
    "response_format",
    `emulated: asked for as the arguments of a tool, ${ANSWER_TOOL}, that must be called`,
  );
  const { outputFormat: _, ...rest } = request;
  return {
    request: {
      ...rest,
      tools: [answerTool(schema)],
      toolChoice: { type: "tool", name: ANSWER_TOOL },
    },
    restoreResponse: (response) => ({
      ...response,
      candidates: response.candidates.map(restoredCandidate),
    }),
    createRestorer,
  };
}

/** The schema of an answer that a tool's arguments can have: those are always an object. */
function answerSchema({ outputFormat }: ChatRequest): JsonObject | undefined {
  if (outputFormat?.type === "json-object") return { type: "object", additionalProperties: true };
  if (outputFormat?.type !== "json-schema") return undefined;
  const type = outputFormat.schema["type"] ?? "object";
  return type === "object" ? outputFormat.schema : undefined;
}

const answerTool = (parameters: JsonObject): FunctionTool => ({
  type: "function",
  name: ANSWER_TOOL,
  description: "Gives the answer: call this once, with the whole answer as its arguments.",
  parameters,
});

const isAnswer = (part: Part): boolean => part.type === "tool-call" && part.name === ANSWER_TOOL;

function restoredCandidate(candidate: Candidate): Candidate {
  if (!candidate.parts.some(isAnswer)) return candidate;
  return {
    ...candidate,
    parts: candidate.parts.map((part) =>
      part.type === "tool-call" && isAnswer(part) ? { type: "text", text: part.input } : part,
    ),
    finishReason: candidate.finishReason === "tool-calls" ? "stop" : candidate.finishReason,
  };
}

function createRestorer(): (event: StreamEvent) => StreamEvent {
  const answers = new Set<number>();
  return (event) => {
    if (event.type === "tool-call-start" && event.name === ANSWER_TOOL) answers.add(event.index);
    if (event.type === "finish" && answers.size > 0 && event.reason === "tool-calls") {
      return { ...event, reason: "stop" };
    }
    return "index" in event && answers.has(event.index) ? asText(event) : event;
  };
}

/** An event of the tool's call as the same event of a text. */
function asText(event: Extract<StreamEvent, { index: number }>): StreamEvent {
  const { index, candidate } = event;
  const place = { index, ...(candidate !== undefined && { candidate }) };
  switch (event.type) {
    case "tool-call-start":
      return { type: "text-start", ...place };
    case "tool-call-delta":
      return { type: "text-delta", text: event.text, ...place };
    case "tool-call-end":
      return { type: "text-end", ...place };
    default:
      return event;
  }
}
