import type { ChatResponse } from "#canonical/chat-response.ts";
import type { AnswerText } from "#pipeline/guardrails/apply-guardrails.ts";

/** What each answer of a response says, apart from what it thought. */
export const answerTextsOf = ({ candidates }: ChatResponse): readonly AnswerText[] =>
  candidates.map(({ parts }) => ({
    text: parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    callsTools: parts.some(({ type }) => type === "tool-call"),
  }));
