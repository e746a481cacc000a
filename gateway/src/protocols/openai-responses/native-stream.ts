import type { NativeStream } from "#protocols/native-stream.ts";

export const openaiResponsesNativeStream: NativeStream = {
  marks: [
    '"response.completed"',
    '"response.incomplete"',
    '"response.failed"',
    '"error"',
    "response.completed",
    "event: error",
  ],
  usageIn: /"type"\s*:\s*"response\.(completed|incomplete)"/,
  usagePath: ["response", "usage"],
};
