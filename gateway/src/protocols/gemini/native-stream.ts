import type { NativeStream } from "#protocols/native-stream.ts";

export const geminiNativeStream: NativeStream = {
  // Usage stands on every chunk, cumulative: only the last, with its finish reason, is read.
  marks: ['"finishReason"', '"error"', '"promptFeedback"'],
  usageIn: /"finishReason"/,
  usagePath: ["usageMetadata"],
};
