import { describe, expect, test, vi } from "vitest";

import type { ChatRequest, OutputFormat } from "#canonical/chat-request.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { emulateStructuredOutput } from "#pipeline/emulate-structured-output.ts";

const request = (outputFormat?: OutputFormat): ChatRequest => ({
  protocol: "openai-chat",
  model: "m",
  stream: false,
  messages: [{ role: "user", content: [{ type: "text", text: "Where?" }] }],
  ...(outputFormat !== undefined && { outputFormat }),
});

const SCHEMA = { type: "object", properties: { city: { type: "string" } } };
const place: OutputFormat = { type: "json-schema", schema: SCHEMA };
const ignore = (): void => undefined;

describe("emulateStructuredOutput", () => {
  test("asks for the answer as the arguments of the only tool, and says so", () => {
    const reportLoss = vi.fn();
    const adapted = emulateStructuredOutput(request(place), reportLoss)?.request;
    expect(adapted).toMatchObject({
      tools: [{ type: "function", name: "json_answer", parameters: SCHEMA }],
      toolChoice: { type: "tool", name: "json_answer" },
    });
    expect(adapted).not.toHaveProperty("outputFormat");
    expect(reportLoss).toHaveBeenCalledWith("response_format", expect.stringMatching(/^emulated/));
  });

  test.each([
    ["nothing is asked for", request()],
    ["text is asked for", request({ type: "text" })],
    ["the answer is no object", request({ type: "json-schema", schema: { type: "array" } })],
    ["there are tools", { ...request(place), tools: [{ type: "function", name: "t" }] } as const],
  ])("does nothing where %s", (_, asked) => {
    const reportLoss = vi.fn();
    expect(emulateStructuredOutput(asked, reportLoss)).toBeUndefined();
    expect(reportLoss).not.toHaveBeenCalled();
  });

  test("gives the arguments back as text", () => {
    const adaptation = emulateStructuredOutput(request({ type: "json-object" }), ignore);
    const input = '{"city":"Paris"}';
    const call = {
      type: "tool-call",
      id: "c",
      name: "json_answer",
      kind: "function",
      input,
    } as const;
    const response = {
      id: "",
      model: "",
      candidates: [{ parts: [call], finishReason: "tool-calls" as const }],
    };
    expect(adaptation?.restoreResponse(response).candidates).toEqual([
      { parts: [{ type: "text", text: input }], finishReason: "stop" },
    ]);
  });

  test("streams the arguments as text, and leaves a refusal to call as it is", () => {
    const restore = emulateStructuredOutput(request(place), ignore)?.createRestorer();
    const events: StreamEvent[] = [
      { type: "text-start", index: 0 },
      { type: "text-delta", index: 0, text: "No." },
      { type: "text-end", index: 0 },
      { type: "tool-call-start", index: 1, id: "c", name: "json_answer", kind: "function" },
      { type: "tool-call-delta", index: 1, text: "{}" },
      { type: "tool-call-end", index: 1 },
      { type: "finish", reason: "tool-calls" },
    ];
    expect(events.map((event) => restore?.(event))).toEqual([
      ...events.slice(0, 3),
      { type: "text-start", index: 1 },
      { type: "text-delta", index: 1, text: "{}" },
      { type: "text-end", index: 1 },
      { type: "finish", reason: "stop" },
    ]);
  });
});
