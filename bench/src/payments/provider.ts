import { setTimeout as pause } from "node:timers/promises";

import { startFakeUpstream } from "../../../gateway/test/fake-upstream.ts";

const chunk = (delta: object, more: object = {}): string =>
  `data: ${JSON.stringify({
    id: "x",
    object: "chat.completion.chunk",
    created: 1,
    model: "gpt-4o-mini",
    choices: [{ index: 0, delta, finish_reason: null }],
    ...more,
  })}\n\n`;

const FIRST = chunk({ content: "Hello" });
const LAST = `${chunk(
  {},
  {
    choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  },
)}data: [DONE]\n\n`;
/** The end of a stream is held until its charge is stored: it must not come with the first byte. */
const END_AFTER_MS = 20;

/** A provider that answers at once; tells its URL. */
const provider = await startFakeUpstream();
provider.answer(async (_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(FIRST);
  await pause(END_AFTER_MS);
  response.end(LAST);
});
process.send?.(provider.origin);
process.once("disconnect", () => process.exit());
