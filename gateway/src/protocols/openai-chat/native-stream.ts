import { renderSse } from "#lib/sse.ts";
import type { NativeStream } from "#protocols/native-stream.ts";

export const openaiChatNativeStream: NativeStream = {
  marks: [
    '"usage":{',
    '"usage": {',
    '"finish_reason":"',
    '"finish_reason": "',
    '"error"',
    "[DONE]",
  ],
  usageIn: /"usage"\s*:\s*\{/,
  usagePath: ["usage"],
  end: { is: ({ data }) => data.trim() === "[DONE]", text: renderSse("[DONE]") },
  // The usage chunk has no choices; providers that put usage on the finish chunk keep it there.
  isUnasked: (data, request) =>
    request.includeUsage !== true &&
    Array.isArray(data["choices"]) &&
    data["choices"].length === 0 &&
    "usage" in data,
};
