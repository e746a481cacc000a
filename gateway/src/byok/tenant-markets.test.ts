import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { ByokOrder } from "@turnpike/contract/governance.ts";

import type { OwnCredential } from "#byok/credential-ring.ts";
import { createTenantMarkets, type ByokWish, type Tenant } from "#byok/tenant-markets.ts";
import { buildCatalog } from "#catalog/catalog.ts";
import { builtInCatalog } from "#catalog/load-catalog.ts";
import { discoverProviders, rowInEnvironment } from "#providers/configured-providers.ts";
import { ALL_HEALTHY } from "#routing/all-healthy.ts";
import type { Market } from "#routing/market.ts";
import { planRoutes } from "#routing/plan-routes.ts";
import { DEFAULT_POLICY } from "#routing/policy.ts";
import { NO_PREFERENCES } from "#routing/preferences.ts";
import type { Route } from "#routing/route.ts";
import { testAccess } from "#test/test-access.ts";

const env = { OPENAI_API_KEY: "sk-platform", ANTHROPIC_API_KEY: "sk-platform-anthropic" };

const PLATFORM: Market = {
  catalog: buildCatalog(builtInCatalog()),
  providers: Map.groupBy(discoverProviders(env), ({ id }) => id),
  aliases: new Map(),
  policy: DEFAULT_POLICY,
};

interface Who {
  readonly organization: number;
  readonly project: number;
  readonly key: number;
  readonly order?: ByokOrder | undefined;
}

const tenantOf = ({ organization, project, key, order }: Who): Tenant => {
  const access = testAccess();
  return {
    organization: {
      ...access.organization,
      id: `org_${organization}`,
      settings: { contentLogAllowed: false, ...(order !== undefined && { byok: { order } }) },
    },
    project: { ...access.project, id: `proj_${organization}_${project}` },
    key: { ...access.key, id: `key_${organization}_${project}_${key}` },
  };
};

let revisions = 0;

interface Given extends Who {
  readonly provider: string;
  readonly level: "organization" | "project" | "key";
  readonly position: number;
}

const credentialOf = (given: Given): OwnCredential => {
  const { organization, project, key } = tenantOf(given);
  const id = `cred_${++revisions}`;
  return {
    id,
    organizationId: organization.id,
    projectId: given.level === "organization" ? null : project.id,
    provider: given.provider,
    name: id,
    position: given.position,
    variables: {},
    attestsZeroRetention: false,
    authorizeFor: () => () => ({ authorization: `Bearer ${organization.id}` }),
    revision: revisions,
    ...(given.level === "key" && { allowedKeyIds: new Set([key.id]) }),
  };
};

/** As the ring has them: by organization, a project's own first, then by position. */
function marketsOf(credentials: readonly OwnCredential[]) {
  const level = ({ projectId }: OwnCredential): number => (projectId === null ? 1 : 0);
  const sorted = credentials.toSorted(
    (a, b) => level(a) - level(b) || a.position - b.position || (a.id < b.id ? -1 : 1),
  );
  const byOrganization = Map.groupBy(sorted, ({ organizationId }) => organizationId);
  return createTenantMarkets({
    platform: () => PLATFORM,
    credentials: { of: (id) => byOrganization.get(id), generation: () => revisions },
    placeOf: (id) => rowInEnvironment(id, { env: {}, ownOrigins: [] }),
    onNotice: () => undefined,
  });
}

const plan = (market: Market, asked: string): readonly Route[] => {
  try {
    return planRoutes(
      {
        asked,
        models: ["claude-sonnet-4-5"],
        preferences: NO_PREFERENCES,
        wishes: {},
        needs: {
          operation: "chat",
          protocol: "openai-chat",
          inputTokens: 100,
          modalities: [],
          tools: false,
        },
      },
      { market, health: ALL_HEALTHY, seed: 7, nowMs: 0, tickMs: 0 },
    ).routes;
  } catch {
    return [];
  }
};

const who = {
  organization: fc.nat(3),
  project: fc.nat(2),
  key: fc.nat(2),
};
const anyWho: fc.Arbitrary<Who> = fc.record({
  ...who,
  order: fc.constantFrom(undefined, "own-first", "platform-first", "own-only"),
});
const anyGiven: fc.Arbitrary<Given> = fc.record({
  ...who,
  provider: fc.constantFrom("openai", "anthropic", "mistral"),
  level: fc.constantFrom("organization", "project", "key"),
  position: fc.nat(2),
});

describe("markets of tenants", () => {
  test("a plan never has a credential of another organization, project or key, nor one that was not wished", () => {
    fc.assert(
      fc.property(
        fc.record({
          given: fc.array(anyGiven, { maxLength: 12 }),
          tenants: fc.array(anyWho, { minLength: 1, maxLength: 6 }),
          wish: fc.constantFrom<(ByokWish | undefined)[]>(undefined, "only", "never"),
          asked: fc.constantFrom("gpt-4o-mini", "mistral-small-latest", "auto"),
        }),
        ({ given, tenants, wish, asked }) => {
          const credentials = given.map(credentialOf);
          const marketFor = marketsOf(credentials);
          const byId = new Map(credentials.map((one) => [one.id, one]));
          for (const each of tenants) {
            const tenant = tenantOf(each);
            for (const { configured } of plan(marketFor(tenant, wish), asked)) {
              if (configured.own === undefined) {
                expect(each.order === "own-only" || wish === "only").toBe(false);
                continue;
              }
              expect(wish).not.toBe("never");
              const used = byId.get(configured.own.credentialId);
              expect(used?.organizationId).toBe(tenant.organization.id);
              expect([null, tenant.project.id]).toContain(used?.projectId);
              expect(used?.allowedKeyIds?.has(tenant.key.id) ?? true).toBe(true);
              const url = new URL([...configured.origins][0] ?? "");
              expect(configured.authorize({ method: "POST", url })).toEqual({
                authorization: `Bearer ${tenant.organization.id}`,
              });
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  const mine: Who = { organization: 1, project: 1, key: 1 };
  const given = (changes: Partial<Given> = {}): Given => ({
    ...mine,
    provider: "openai",
    level: "organization",
    position: 0,
    ...changes,
  });
  const keysOf = (routes: readonly Route[]): readonly string[] =>
    routes
      .filter(({ model }) => model.id === "gpt-4o-mini")
      .map(({ configured }) => configured.credentialId);

  test("who has no credentials shares the platform's market, and who shares credentials a market", () => {
    const marketFor = marketsOf([credentialOf(given())]);
    expect(marketFor(tenantOf({ ...mine, organization: 2 }))).toBe(PLATFORM);
    const market = marketFor(tenantOf(mine));
    expect(market).not.toBe(PLATFORM);
    expect(marketFor(tenantOf({ ...mine, key: 2 }))).toBe(market);
    expect(marketFor(tenantOf(mine), "never")).toBe(PLATFORM);
  });

  test("own first, by project and position, and the platform's after them; or the other way round", () => {
    const credentials = [
      credentialOf(given({ position: 2 })),
      credentialOf(given({ position: 1 })),
      credentialOf(given({ level: "project", position: 9 })),
    ];
    const [second, first, project] = credentials.map(({ id }) => `byok:${id}`);
    const marketFor = marketsOf(credentials);
    const order = (order?: ByokOrder): readonly string[] =>
      keysOf(plan(marketFor(tenantOf({ ...mine, order })), "gpt-4o-mini"));
    const platform = "env:OPENAI_API_KEY";
    expect(order()).toEqual([project, first, second, platform]);
    expect(order("platform-first")).toEqual([platform, project, first, second]);
    expect(order("own-only")).toEqual([project, first, second]);
  });

  test("the first says that it is an own one", () => {
    const marketFor = marketsOf([credentialOf(given())]);
    const reasons = (order?: ByokOrder): readonly string[] =>
      plan(marketFor(tenantOf({ ...mine, order })), "gpt-4o-mini").map(({ reason }) => reason);
    expect(reasons()[0]).toBe("own");
    expect(reasons("platform-first")[0]).not.toBe("own");
  });

  test("an own key binds to its own address: anywhere else it is refused", () => {
    const credential = { ...credentialOf(given()), baseUrl: "https://llm.example.com/v1" };
    const [configured] = marketsOf([credential])(tenantOf(mine)).providers.get("openai") ?? [];
    expect(configured?.privateAddressAllowed).toBe(false);
    expect([...(configured?.origins ?? [])]).toEqual(["https://llm.example.com"]);
    const url = new URL("https://api.openai.com/v1/chat/completions");
    expect(() => configured?.authorize({ method: "POST", url })).toThrow(/does not belong/);
  });
});
