import { describe, expect, test } from "vitest";

import { NativeLane } from "#pipeline/native-lane.ts";
import {
  openaiResponsesClient,
  openaiResponsesUpstream,
} from "#protocols/openai-responses/codec.ts";
import { openaiResponsesNativeStream } from "#protocols/openai-responses/native-stream.ts";

const request = openaiResponsesClient.parseRequest({
  body: { model: "m", input: "x", stream: true },
  headers: {},
});

const lane = (): NativeLane =>
  new NativeLane({
    native: openaiResponsesNativeStream,
    parser: openaiResponsesUpstream.createStreamParser({}),
    request,
    costUsd: () => null,
    renderer: () =>
      openaiResponsesClient.createStreamRenderer({
        request,
        requestId: "req_1",
        model: "m",
        created: 1,
        costUsd: () => null,
        reportLoss: () => undefined,
      }),
  });

const frame = (event: object): Buffer => Buffer.from(`data: ${JSON.stringify(event)}\n\n`);

const delta = {
  type: "response.output_text.delta",
  item_id: "msg_1",
  output_index: 0,
  content_index: 0,
  delta: "Hi",
  sequence_number: 4,
};

describe("a native stream that fails", () => {
  test("does not pass the provider's own error on: the gateway's stands in its place", () => {
    const failing = lane();
    failing.push(frame(delta));
    const error = { code: "server_error", message: "key sk-abcdefghijklmnopqrstuvwx is broken" };
    const sent = failing.push(
      frame({ type: "response.failed", sequence_number: 5, response: { status: "failed", error } }),
    );
    expect(sent).toBeUndefined();
    expect(failing.state.failure).toBeDefined();
  });

  test("ends with one event whose number follows the last", () => {
    const failing = lane();
    failing.push(frame(delta));
    const text = failing.fail({ code: "upstream_truncated", message: "It broke off." }) ?? "";
    expect(text.match(/"type":"response\.\w+"/g)).toEqual(['"type":"response.failed"']);
    expect(text).toContain('"sequence_number":5');
  });

  test("has a beginning when nothing was sent", () => {
    const text = lane().fail({ code: "upstream_truncated", message: "It broke off." });
    expect(text).toContain("response.created");
  });
});
