import { asNumber, parseObject } from "#lib/json.ts";
import { parseSseFrame, renderSse } from "#lib/sse.ts";
import type { NativeStream } from "#protocols/native-stream.ts";

/** The last event alone, its number following on: the stream has begun already. */
function continueAfter(failed: string, lastFrame: string): string {
  const terminal = parseSseFrame(failed.split("\n\n").findLast((frame) => frame !== "") ?? "");
  const data = parseObject(terminal?.data ?? "");
  if (terminal === undefined || data === undefined) return failed;
  const number = asNumber(parseObject(parseSseFrame(lastFrame)?.data ?? "")?.["sequence_number"]);
  const sequence = number === undefined ? {} : { sequence_number: number + 1 };
  return renderSse(JSON.stringify({ ...data, ...sequence }), terminal.event);
}

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
  continueAfter,
};
