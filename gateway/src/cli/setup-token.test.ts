import { expect, test } from "vitest";

import { createTestCli } from "#test/cli.ts";
import { FIRST_PERSON, postJson, setUpGateway } from "#test/sign-in-client.ts";
import { startGateway } from "#test/start-gateway.ts";

test("another link takes the place of the printed one, until somebody is there", async () => {
  const gateway = await startGateway();
  const cli = createTestCli({ TURNPIKE_HOME: gateway.home });
  try {
    const { token } = JSON.parse(await cli.run("setup-token", "--json")) as { token: string };
    await expect(setUpGateway(gateway)).rejects.toThrow("not the setup token");
    const made = await postJson(`${gateway.url}/api/setup`, { token, ...FIRST_PERSON });
    expect(made.status).toBe(201);
    expect(await cli.fails("setup-token")).toContain("set up already");
  } finally {
    cli.remove();
    await gateway.close();
  }
});

test("without a gateway there is nothing to set up", async () => {
  const cli = createTestCli();
  expect(await cli.fails("setup-token")).toContain("Start it once");
  cli.remove();
});
