import { describe, expect, test } from "vitest";

import { ENTRA } from "./entra.ts";
import type { AuthDependencies, OutgoingRequest } from "./provider.ts";

const ENV = {
  AZURE_TENANT_ID: "11111111-2222-3333-4444-555555555555",
  AZURE_CLIENT_ID: "client",
  AZURE_CLIENT_SECRET: "s3cret",
};
const REQUEST: OutgoingRequest = { method: "POST", url: new URL("https://r.openai.azure.com/") };

function tokenServer(answers: readonly unknown[]) {
  const calls: { url: string; form: Readonly<Record<string, string>> }[] = [];
  let now = 1_000_000;
  const dependencies: AuthDependencies = {
    now: () => now,
    post: async (url, form) => {
      calls.push({ url, form });
      const answer = answers[calls.length - 1];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const pass = (ms: number): void => {
    now += ms;
  };
  return { calls, dependencies, pass };
}

const token = (name: string): unknown => ({ access_token: name, expires_in: 3600 });

describe("ENTRA", () => {
  test.each(Object.keys(ENV))("is not found without %s", (name) => {
    expect(ENTRA.discover({ ...ENV, [name]: "" })).toBeUndefined();
  });

  test("asks the tenant for a token of Azure's AI services", async () => {
    const { calls, dependencies } = tokenServer([token("t1")]);
    const found = ENTRA.discover(ENV, dependencies);
    expect(found?.variable).toBe("AZURE_CLIENT_SECRET");
    expect(await found?.authorize(REQUEST)).toEqual({ authorization: "Bearer t1" });
    expect(calls).toEqual([
      {
        url: `https://login.microsoftonline.com/${ENV.AZURE_TENANT_ID}/oauth2/v2.0/token`,
        form: {
          grant_type: "client_credentials",
          client_id: "client",
          client_secret: "s3cret",
          scope: "https://cognitiveservices.azure.com/.default",
        },
      },
    ]);
  });

  test("keeps a token until five minutes before its end", async () => {
    const { calls, dependencies, pass } = tokenServer([token("t1"), token("t2")]);
    const found = ENTRA.discover(ENV, dependencies);
    await found?.authorize(REQUEST);
    pass(54 * 60_000);
    expect(await found?.authorize(REQUEST)).toEqual({ authorization: "Bearer t1" });
    pass(2 * 60_000);
    expect(await found?.authorize(REQUEST)).toEqual({ authorization: "Bearer t2" });
    expect(calls.length).toBe(2);
  });

  test("asks once for requests that come together", async () => {
    const { calls, dependencies } = tokenServer([token("t1")]);
    const found = ENTRA.discover(ENV, dependencies);
    await Promise.all([1, 2, 3].map(async () => found?.authorize(REQUEST)));
    expect(calls.length).toBe(1);
  });

  test("asks again after a failure", async () => {
    const { dependencies } = tokenServer([new Error("down"), token("t2")]);
    const found = ENTRA.discover(ENV, dependencies);
    await expect(found?.authorize(REQUEST)).rejects.toThrow("down");
    expect(await found?.authorize(REQUEST)).toEqual({ authorization: "Bearer t2" });
  });

  test.each([{}, null, "text", { access_token: 5 }])(
    "fails as an upstream's authorisation on the answer %j",
    async (answer) => {
      const found = ENTRA.discover(ENV, tokenServer([answer]).dependencies);
      await expect(found?.authorize(REQUEST)).rejects.toMatchObject({
        failure: { code: "upstream_auth" },
      });
    },
  );

  test("never puts a hostile tenant into the address", async () => {
    const { calls, dependencies } = tokenServer([token("t1")]);
    const found = ENTRA.discover({ ...ENV, AZURE_TENANT_ID: "../evil?x=" }, dependencies);
    await expect(found?.authorize(REQUEST)).rejects.toThrow(/AZURE_TENANT_ID/);
    expect(calls).toEqual([]);
  });
});
