import { headerText, type RequestHeaders } from "#pipeline/exchange.ts";

/** OpenAI's coding agent, by the names that it gives itself. */
export const isCodex = (headers: RequestHeaders): boolean =>
  /^codex/i.test(headerText(headers, "originator") ?? "") ||
  /^codex/i.test(headerText(headers, "user-agent") ?? "");
