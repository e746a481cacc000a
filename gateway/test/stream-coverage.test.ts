import { expect, test } from "vitest";

import { describeCorpus, recordings } from "#test/corpus.ts";

/**
 * Recorded streams of the protocols that are spoken: the corpus suite beside each codec checks that
 * its events are the same at every split. A count that changes means that a filter there, or here,
 * no longer fits the recordings.
 */
const COVERED: Readonly<Record<string, number>> = {
  "anthropic.messages": 17,
  "anthropic.messages(vertex)": 3,
  "bedrock.converse-stream": 10,
  "cohere.v2.chat": 3,
  // One more is an error with an empty body.
  "gemini.streamGenerateContent": 27,
  "openai.chat": 63,
  "openai.responses": 20,
  "openai.responses.item": 1,
};

/** Streams of what is not spoken upstream. */
const OTHERS: ReadonlySet<string> = new Set([
  "audio.speech",
  "audio.transcriptions",
  "bedrock.invoke-stream",
  "gemini.interactions",
  "openai.completions",
  "other",
]);

describeCorpus("every recorded stream", () => {
  test("is of a protocol whose suite splits it, or of none that is spoken", () => {
    const counts: Record<string, number> = {};
    for (const { endpoint, response } of recordings()) {
      const { sse, eventstream_b64, status } = response;
      const isStream = status < 400 && (sse !== undefined || eventstream_b64 !== undefined);
      if (isStream && !OTHERS.has(endpoint)) counts[endpoint] = (counts[endpoint] ?? 0) + 1;
    }
    expect(counts).toEqual(COVERED);
  });
});
