import { describe, expect, test } from "vitest";

import { buildCatalog } from "#catalog/catalog.ts";
import { buildUrl } from "#providers/build-url.ts";

import { DEMO_ENDPOINTS, DEMO_MODELS } from "./demo-catalog.ts";
import { DEMO_PROVIDER, isDemoUrl } from "./demo-provider.ts";

describe("the demo's catalogue", () => {
  const data = { schema: 1, asOf: "2026-01-01", sources: [], models: [], endpoints: [] } as const;
  const catalog = buildCatalog(data, { models: DEMO_MODELS, endpoints: DEMO_ENDPOINTS });

  test.each(["echo", "slow", "flaky", "tools", "expensive", "embed"])(
    "demo/%s resolves",
    (name) => {
      const resolved = catalog.resolve(`demo/${name}`);
      expect(resolved?.endpoints).toMatchObject([{ provider: "demo", upstreamModel: name }]);
      expect(resolved?.endpoints[0]?.prices?.input).toBeGreaterThan(0);
    },
  );

  test("its URLs are known as the demo's, others are not", () => {
    const url = buildUrl(DEMO_PROVIDER.provider, DEMO_PROVIDER.provider.speaks[0]!, {
      model: "echo",
      stream: false,
    });
    expect(url.href).toBe("http://demo.turnpike.invalid/v1/chat/completions");
    expect(isDemoUrl(url)).toBe(true);
    expect(isDemoUrl(new URL("http://demo.turnpike.invalid.example.com/v1"))).toBe(false);
  });
});
