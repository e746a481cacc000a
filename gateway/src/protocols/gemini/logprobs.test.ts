import { describe, expect, test } from "vitest";

import { parseLogprobs, renderLogprobs } from "./logprobs.ts";

const result = {
  chosenCandidates: [{ token: "é", tokenId: 7, logProbability: -0.25 }],
  topCandidates: [
    {
      candidates: [
        { token: "é", tokenId: 7, logProbability: -0.25 },
        { token: "e", tokenId: 8, logProbability: -1.5 },
      ],
    },
  ],
};

describe("parseLogprobs", () => {
  test("reads the chosen tokens with their alternatives", () => {
    expect(parseLogprobs(result)).toEqual([
      {
        token: "é",
        logprob: -0.25,
        bytes: [195, 169],
        top_logprobs: [
          { token: "é", logprob: -0.25, bytes: [195, 169] },
          { token: "e", logprob: -1.5, bytes: [101] },
        ],
      },
    ]);
  });

  test.each([undefined, null, 7, { chosenCandidates: "x" }, { chosenCandidates: [{ token: 1 }] }])(
    "makes nothing of %j",
    (wire) => {
      expect(parseLogprobs(wire)).toEqual([]);
    },
  );
});

describe("renderLogprobs", () => {
  test("writes them back but for ids, which only Gemini knows", () => {
    const rendered = renderLogprobs(parseLogprobs(result));
    expect(JSON.stringify(rendered)).toBe(JSON.stringify(result).replaceAll(/"tokenId":\d,/g, ""));
  });
});
