import { sse, startFakeUpstream } from "../../../gateway/test/fake-upstream.ts";

const CHUNK = {
  id: "x",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-4o-mini",
  choices: [{ index: 0, delta: { content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};

/** A provider that answers at once; tells its URL. */
const provider = await startFakeUpstream();
provider.answer(sse(CHUNK, "[DONE]"));
process.send?.(provider.origin);
process.once("disconnect", () => process.exit());
