import type { PolicyDocument } from "@turnpike/contract/governance.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { effectivePolicy, NO_POLICY, type PolicyLayer } from "#governance/effective-policy.ts";
import { explainPolicy } from "#governance/explain-policy.ts";
import type { Candidate, Needs } from "#routing/candidate.ts";
import { forbiddenBy } from "#routing/governance-bounds.ts";

const MODELS = ["gpt-5", "gpt-5-mini", "claude-sonnet-5", "sonar"];
const PROVIDERS = ["openai", "anthropic", "bedrock"];
const REGIONS = ["eu", "eu-west-1", "us"];
const CAPABILITIES = ["web-search", "tools", "images"] as const;

const globs = fc.subarray([...MODELS, "gpt-*", "*", "openai/*", "CLAUDE-*"]);
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

/** Members that are not there are absent, as in a parsed document. */
const without = (document: object): PolicyDocument =>
  JSON.parse(JSON.stringify(document)) as PolicyDocument;

const documents: fc.Arbitrary<PolicyDocument> = fc
  .record({
    models: optional(fc.record({ allow: optional(globs), deny: optional(globs) })),
    providers: optional(
      fc.record({
        allow: optional(fc.subarray(PROVIDERS)),
        deny: optional(fc.subarray(PROVIDERS)),
      }),
    ),
    regions: optional(fc.subarray(REGIONS)),
    zeroRetention: optional(fc.boolean()),
    noTraining: optional(fc.boolean()),
    deniedCapabilities: optional(fc.subarray([...CAPABILITIES])),
    maxRequestUsd: optional(fc.constantFrom("0.000000001", 0.001, "1")),
    maxInputUsdPerMillion: optional(fc.constantFrom(0, "2.5", 10)),
    maxOutputUsdPerMillion: optional(fc.constantFrom(0, "2.5", 10)),
    maxTokens: optional(fc.integer({ min: 1, max: 100 })),
    preference: optional(fc.constantFrom("cheap" as const, "best" as const)),
    tasks: optional(fc.dictionary(fc.constantFrom("code", "talk"), fc.constantFrom(...MODELS))),
  })
  .map(without);

const layers: fc.Arbitrary<readonly PolicyLayer[]> = fc
  .record({
    organization: optional(documents),
    team: optional(documents),
    project: optional(documents),
    key: optional(documents),
    settings: optional(documents),
  })
  .map((levels) =>
    Object.entries(levels).flatMap(([name, document]) => {
      if (document === undefined) return [];
      const isSettings = name === "settings";
      const level = (isSettings ? "key" : name) as PolicyLayer["origin"]["level"];
      const source = isSettings ? "settings" : `pol_${name}`;
      return [{ origin: { level, targetId: `${level}_1`, source }, document }];
    }),
  );

const candidates: fc.Arbitrary<Candidate> = fc
  .record({
    model: fc.constantFrom(...MODELS),
    provider: fc.constantFrom(...PROVIDERS),
    regions: fc.subarray(REGIONS),
    price: fc.option(fc.constantFrom(0, 2_500_000, 9_000_000)),
    retention: fc.option(
      fc.record({ days: fc.constantFrom(0, 30, null), trains: fc.constantFrom(true, false, null) }),
    ),
  })
  .map(({ model, provider, regions, price, retention }) => {
    const row =
      retention === null
        ? {}
        : { retention: { days: retention.days, trainsOnApiData: retention.trains } };
    // Only what bounds look at.
    return {
      key: `${provider}/${model}@env`,
      configured: { id: provider, provider: row },
      model: { id: model, author: provider, aliases: [] },
      endpoint: {
        provider,
        upstreamModel: model,
        ...(price !== null && { prices: { input: price, output: price } }),
      },
      regions,
    } as unknown as Candidate;
  });

const NEEDS: Needs = {
  operation: "chat",
  protocol: "openai-chat",
  inputTokens: 1_000,
  modalities: [],
  tools: false,
};

const allows = (given: readonly PolicyLayer[], candidate: Candidate): boolean => {
  const policy = effectivePolicy(given);
  return forbiddenBy(candidate, policy === NO_POLICY ? undefined : policy, NEEDS) === undefined;
};

describe("effectivePolicy", () => {
  test("allows an endpoint exactly where every level by itself does", () => {
    fc.assert(
      fc.property(layers, candidates, (given, candidate) => {
        expect(allows(given, candidate)).toBe(given.every((layer) => allows([layer], candidate)));
      }),
      { numRuns: 2_000 },
    );
  });

  test("never widens by another level", () => {
    fc.assert(
      fc.property(layers, fc.nat(), candidates, (given, at, candidate) => {
        const fewer = given.filter((_, place) => place !== at % Math.max(1, given.length));
        if (allows(given, candidate)) expect(allows(fewer, candidate)).toBe(true);
        const all = effectivePolicy(given);
        const some = effectivePolicy(fewer);
        expect(all.maxTokens ?? Infinity).toBeLessThanOrEqual(some.maxTokens ?? Infinity);
        expect([...all.deniedCapabilities.keys()]).toEqual(
          expect.arrayContaining([...some.deniedCapabilities.keys()]),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test("does not hang on the order in which levels are given", () => {
    fc.assert(
      fc.property(
        layers.chain((given) =>
          fc.tuple(
            fc.constant(given),
            fc.shuffledSubarray([...given], { minLength: given.length }),
          ),
        ),
        ([given, shuffled]) => {
          expect(effectivePolicy(shuffled)).toEqual(effectivePolicy(given));
          expect(explainPolicy(shuffled)).toEqual(explainPolicy(given));
        },
      ),
    );
  });

  test("is the one shared object where nobody says anything", () => {
    expect(effectivePolicy([])).toBe(NO_POLICY);
  });

  test("takes the smallest of numbers, the narrowest of wishes, and says whose they are", () => {
    const level = (name: "organization" | "key", document: PolicyDocument): PolicyLayer => ({
      origin: { level: name, targetId: `${name}_1`, source: `pol_${name}` },
      document,
    });
    const given = [
      level("organization", {
        maxTokens: 100,
        maxRequestUsd: "0.5",
        maxInputUsdPerMillion: 3,
        preference: "cheap",
        tasks: { code: "claude-sonnet-5", talk: "gpt-5" },
      }),
      level("key", {
        maxTokens: 200,
        maxRequestUsd: 0.25,
        preference: "best",
        tasks: { talk: "x" },
      }),
    ];
    const policy = effectivePolicy(given);
    expect(policy).toMatchObject({
      maxTokens: 100,
      maxRequestNanoUsd: 250_000_000n,
      maxInputPicoUsdPerToken: 3_000_000,
      preference: "best",
      origins: {
        maxTokens: { level: "organization" },
        maxRequestNanoUsd: { level: "key" },
        preference: { level: "key" },
      },
    });
    expect([...policy.tasks].map(([task, { value }]) => [task, value])).toEqual([
      ["code", "claude-sonnet-5"],
      ["talk", "x"],
    ]);
    expect(explainPolicy(given).find(({ part }) => part === "maxRequestUsd")).toEqual({
      part: "maxRequestUsd",
      rule: "smallest",
      effective: 0.25,
      from: [
        {
          level: "organization",
          targetId: "organization_1",
          source: "pol_organization",
          value: "0.5",
        },
        { level: "key", targetId: "key_1", source: "pol_key", value: 0.25 },
      ],
    });
  });
});
