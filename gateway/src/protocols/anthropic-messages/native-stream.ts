import { renderSse } from "#lib/sse.ts";
import type { NativeStream } from "#protocols/native-stream.ts";

export const anthropicMessagesNativeStream: NativeStream = {
  marks: [
    '"message_start"',
    '"message_delta"',
    '"message_stop"',
    '"error"',
    "event: message_",
    "event: error",
  ],
  usageIn: /"type"\s*:\s*"message_delta"/,
  usagePath: ["usage"],
  end: {
    is: ({ data }) => /"type"\s*:\s*"message_stop"/.test(data),
    text: renderSse('{"type":"message_stop"}', "message_stop"),
  },
};
