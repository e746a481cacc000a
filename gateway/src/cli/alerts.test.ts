import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openSecrets } from "#alerts/channel.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { findAlertChannel } from "#store/alerts.ts";
import { openStore } from "#store/store.ts";
import { createTestCli, type TestCli } from "#test/cli.ts";

let cli: TestCli;
beforeEach(() => {
  cli = createTestCli();
});
afterEach(() => cli.remove());

test("channels are added, listed without what is secret, given another secret, and removed", async () => {
  cli.typed.text = "https://hooks.example.com/in?token=hidden\n";
  const added = await cli.run("alerts", "add", "--name", "ops", "--events", "key.leaked");
  expect(added).toMatch(/^alc_\w+ \(ops\) is told from now on\.\n.*whsec_/);
  const id = added.slice(0, added.indexOf(" "));
  const list = await cli.run("alerts", "list");
  expect(list).toMatch(new RegExp(`${id} +webhook +ops +https://hooks.example.com +key.leaked`));
  expect(list).not.toMatch(/hidden|whsec_/);
  expect(await cli.run("alerts", "rotate", id)).toMatch(/whsec_/);
  expect(await cli.run("alerts", "deliveries", id)).toBe("There are none.");
  expect(await cli.run("alerts", "remove", id)).toBe(`Removed ${id}.`);
  expect(await cli.run("alerts", "list")).toBe("There are none.");
});

test("channels are in the exported file without what is secret, and it can be applied again", async () => {
  cli.typed.text = "https://hooks.example.com/in?token=hidden";
  const added = JSON.parse(await cli.run("alerts", "add", "--name", "ops", "--json"));
  await cli.run("alerts", "add", "--name", "mail", "--kind", "email", "--to", "a@example.com");
  const apply = async (text: string, ...more: string[]) => {
    writeFileSync(join(cli.folder, "g.yaml"), text);
    return cli.run("apply", "-f", "g.yaml", ...more);
  };
  const file = await cli.run("export");
  expect(file).toContain("url: https://hooks.example.com");
  expect(file).not.toMatch(/hidden|whsec_/);
  expect(await apply(file, "--prune")).toMatch(/^0 changes made/);
  const changed = await apply(
    file.replace("kind: webhook", "kind: webhook\n        events: [key.leaked]"),
  );
  expect(changed).toContain("~ organizations.default.alertChannels.ops (update)");
  const store = await openStore({ home: join(cli.folder, "data") });
  const row = await findAlertChannel(store.core, added.id);
  const master = loadMasterKey(join(cli.folder, "data"), undefined);
  expect(row && openSecrets(master, row)).toEqual({
    url: "https://hooks.example.com/in?token=hidden",
    signing: [added.secret],
  });
  await store.close();
  const less = file.replace(/ {6}mail:[\s\S]*?a@example\.com\n?/, "");
  expect(await apply(less, "--prune")).toContain("alertChannels.mail (delete)");
  const more = `${less.trimEnd()}\n`.replace(
    "    alertChannels:\n",
    "    alertChannels:\n      new:\n        kind: slack\n        url: https://chat.example.com/x\n",
  );
  expect(await apply(more)).toContain("+ organizations.default.alertChannels.new (create)");
});

test("a test message goes out as alerts do, and what the receiver says is told", async () => {
  const got: IncomingMessage["headers"][] = [];
  let status = 200;
  const server = createServer((request, response) => {
    got.push(request.headers);
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    cli.typed.text = `${origin}/in`;
    const { id } = JSON.parse(await cli.run("alerts", "add", "--name", "ops", "--json"));
    expect(await cli.fails("alerts", "test", id)).toContain(
      `${id} did not take it: the address is private or reserved.`,
    );
    writeFileSync(join(cli.folder, "turnpike.yaml"), `alerts: { allowOrigins: ["${origin}"] }\n`);
    expect(await cli.run("alerts", "test", id)).toBe(`${id} took it.`);
    expect(got[0]).toMatchObject({ "webhook-signature": expect.stringMatching(/^v1,/) });
    status = 503;
    expect(await cli.fails("alerts", "test", id)).toContain(`${id} did not take it: answered 503.`);
    expect(await cli.fails("alerts", "test", "alc_none")).toContain("no such alert channel");
  } finally {
    server.close();
  }
});

test("mail needs addresses, a webhook its URL", async () => {
  const mail = ["alerts", "add", "--kind", "email", "--name", "mail"];
  expect(await cli.run(...mail, "--to", "a@example.com,b@example.com")).not.toContain("whsec_");
  expect(await cli.run("alerts", "list")).toContain("a@example.com b@example.com");
  expect(await cli.fails(...mail)).toContain("--to is needed");
  expect(await cli.fails(...mail, "--to", "nobody")).toContain("--to");
  expect(await cli.fails("alerts", "add", "--name", "x")).toContain("pipe the channel's URL");
  cli.typed.text = "ftp://x";
  expect(await cli.fails("alerts", "add", "--name", "x")).toContain("--url");
  expect(await cli.fails("alerts", "add", "--name", "x", "--kind", "fax")).toContain("--kind");
});
