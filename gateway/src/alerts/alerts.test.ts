import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createSocketServer } from "node:net";
import type { AddressInfo } from "node:net";

import type { AlertChannelDocument, AlertEvent } from "@turnpike/contract/alerts.ts";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";

import { watchErrorRate } from "#alerts/error-rate.ts";
import {
  channelsOf,
  createChannel,
  deliveriesOf,
  rotateSecret,
  testChannel,
} from "#alerts/manage-channels.ts";
import { noteEvent, sendDue, type OutboxParts } from "#alerts/outbox.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import type { Deed } from "#governance/deed.ts";
import { ALERT_NAMES } from "#store/migrations/alerts-step.ts";
import { forPostgres, forSqlite } from "#store/migrations/step.ts";
import type { Store } from "#store/store.ts";
import { dialSocket } from "#upstream/dial-socket.ts";
import { createDialer, type Dialer } from "#upstream/dialer.ts";
import { actorNamed } from "#test/admin-world.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";

interface Got {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A receiver of webhooks that answers what it is told to. */
async function receiver() {
  const got: Got[] = [];
  const state = { status: 200, headers: {} as Record<string, string> };
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      got.push({ headers: request.headers, body });
      response.writeHead(state.status, state.headers).end("x".repeat(1_000));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as AddressInfo;
  return { got, state, origin: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** A mail server that takes everything. */
async function mailServer() {
  const mails: string[] = [];
  const server = createSocketServer((socket) => {
    let isData = false;
    let text = "";
    socket.write("220 test ESMTP\r\n");
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      for (let end = text.indexOf("\r\n"); !isData && end !== -1; end = text.indexOf("\r\n")) {
        const command = text.slice(0, end).toUpperCase();
        text = text.slice(end + 2);
        isData = command === "DATA";
        socket.write(isData ? "354 go on\r\n" : command === "QUIT" ? "221 bye\r\n" : "250 ok\r\n");
      }
      if (isData && text.endsWith("\r\n.\r\n")) {
        mails.push(text);
        isData = false;
        text = "";
        socket.write("250 taken\r\n");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return { mails, port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** The algorithm of the specification, by itself: standardwebhooks.com, "Signature scheme". */
function isSignedBy(secret: string, { headers, body }: Got): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const content = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  const expected = `v1,${createHmac("sha256", key).update(content, "utf8").digest("base64")}`;
  return String(headers["webhook-signature"]).split(" ").includes(expected);
}

describeOnEach("alerts", (make) => {
  let database: TestDatabase;
  let store: Store;
  let hook: Awaited<ReturnType<typeof receiver>>;
  let dialer: Dialer;
  let parts: OutboxParts;
  let clock: number;
  let deed: Deed;
  beforeEach(async () => {
    database = await make();
    store = await database.open();
    hook = await receiver();
    const { origin } = hook;
    dialer = createDialer(() => new Set([origin]));
    clock = Date.parse("2026-11-01T00:00:00Z");
    const now = (): number => clock;
    const post = { send: dialer.send, dialSocket, smtp: undefined, now };
    parts = { core: store.core, master: loadMasterKey(database.home, undefined), post, now };
    deed = {
      core: store.core,
      actor: actorNamed("platform"),
      now: clock,
      ip: null,
      requestId: null,
    };
  });
  afterEach(async () => {
    await dialer.close();
    hook.close();
    await store.close();
    await database.remove();
  });

  const add = async (document: Partial<AlertChannelDocument> = {}) =>
    createChannel(deed, parts, {
      organizationId: "org_default",
      document: {
        kind: "webhook",
        name: "ops",
        url: `${hook.origin}/in?token=hidden`,
        ...document,
      } as AlertChannelDocument,
    });
  const event: AlertEvent = {
    kind: "budget.threshold",
    organizationId: "org_default",
    once: "bud_1 2026-11-01 80",
    text: "The budget is used to 80 %.",
    facts: { budget_id: "bud_1", percent: 80 },
  };

  test("an event goes to the webhook, signed as the specification says, once", async () => {
    const { secret } = await add();
    expect(await noteEvent(parts, event)).toBe(true);
    expect(await noteEvent(parts, event)).toBe(false);
    expect(await sendDue(parts)).toBe(1);
    expect(await sendDue(parts)).toBe(0);
    expect(hook.got).toHaveLength(1);
    const [got] = hook.got as [Got];
    expect(isSignedBy(String(secret), got)).toBe(true);
    expect(isSignedBy(String(secret), { ...got, body: `${got.body} ` })).toBe(false);
    expect(got.headers["webhook-timestamp"]).toBe(String(clock / 1000));
    expect(JSON.parse(got.body)).toEqual({
      type: "budget.threshold",
      timestamp: "2026-11-01T00:00:00.000Z",
      data: { text: event.text, organization_id: "org_default", budget_id: "bud_1", percent: 80 },
    });
  });

  test("while a secret is rotated both the new and the old one verify", async () => {
    const made = await add();
    const rotated = await rotateSecret(deed, parts, String(made["id"]));
    await noteEvent(parts, event);
    await sendDue(parts);
    const [got] = hook.got as [Got];
    expect(isSignedBy(String(made["secret"]), got)).toBe(true);
    expect(isSignedBy(String(rotated["secret"]), got)).toBe(true);
    await rotateSecret(deed, parts, String(made["id"]));
    await noteEvent(parts, { ...event, once: "other" });
    await sendDue(parts);
    expect(isSignedBy(String(made["secret"]), hook.got[1] as Got)).toBe(false);
  });

  test("a failed delivery is tried again under the same id, for a day, and then given up", async () => {
    const { id } = await add();
    hook.state.status = 503;
    await noteEvent(parts, event);
    for (let hours = 0; hours < 30 * 60; hours++) {
      clock += 60_000;
      await sendDue(parts);
    }
    const ids = new Set(hook.got.map(({ headers }) => headers["webhook-id"]));
    expect(ids.size).toBe(1);
    expect(hook.got.length).toBeGreaterThan(20);
    expect(hook.got.length).toBeLessThan(40);
    expect(await deliveriesOf(deed, String(id))).toMatchObject([
      { state: "given-up", fault: "answered 503", tries: hook.got.length },
    ]);
  });

  test("a name stands for one channel of its organization, as in a file of governance", async () => {
    await add();
    await expect(add({ url: `${hook.origin}/other` })).rejects.toMatchObject({
      failure: { code: "conflict", field: "channel.name" },
    });
    await add({ name: "other" });
  });

  test("of two at once with one name one is made, the other is a conflict", async () => {
    const made = await Promise.allSettled([add(), add(), add()]);
    const refused = made.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refused).toHaveLength(2);
    expect(refused).toMatchObject(
      refused.map(() => ({ failure: { code: "conflict", field: "channel.name" } })),
    );
  });

  test("channels of one name from before the index keep apart by their ids", async () => {
    const name = "😀".repeat(100);
    await add({ name });
    await add({ name: "other" });
    await sql`DROP INDEX alert_channels_name`.execute(store.core);
    await sql`UPDATE alert_channels SET document = replace(document, '"other"', ${JSON.stringify(name)})`.execute(
      store.core,
    );
    const words = database.url === "" ? forSqlite : forPostgres;
    for (const statement of ALERT_NAMES) await sql.raw(words(statement)).execute(store.core);
    const names = (await channelsOf(deed, "org_default")).map((view) => [view["id"], view["name"]]);
    const [, second] = names;
    expect(names).toEqual([
      [expect.any(String), name],
      [second?.[0], `${"😀".repeat(80)} ${String(second?.[0])}`],
    ]);
    await expect(add({ name })).rejects.toMatchObject({ failure: { code: "conflict" } });
  });

  test("redirects are not followed", async () => {
    const { id } = await add();
    hook.state.status = 302;
    hook.state.headers = { location: `${hook.origin}/elsewhere` };
    await noteEvent(parts, event);
    await sendDue(parts);
    expect(hook.got).toHaveLength(1);
    const [delivery] = await deliveriesOf(deed, String(id));
    expect(delivery).toMatchObject({
      state: "waiting",
      fault: expect.stringContaining("redirects"),
    });
  });

  test("of two gateways one sends", async () => {
    await add();
    const other = await database.open();
    try {
      for (let at = 0; at < 20; at++) await noteEvent(parts, { ...event, once: `event ${at}` });
      const both = [parts, { ...parts, core: other.core }];
      for (let round = 0; round < 4; round++) await Promise.all(both.map((one) => sendDue(one)));
    } finally {
      await other.close();
    }
    const ids = hook.got.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toHaveLength(20);
    expect(new Set(ids).size).toBe(20);
  });

  test("a gateway that dies while it sends leaves the delivery to another one", async () => {
    await add();
    await noteEvent(parts, event);
    const never = new Promise<never>(() => undefined);
    void sendDue({ ...parts, post: { ...parts.post, send: () => never } });
    await new Promise((resolve) => void setTimeout(resolve, 100));
    expect(await sendDue(parts)).toBe(0);
    clock += 61_000;
    expect(await sendDue(parts)).toBe(1);
    expect(hook.got).toHaveLength(1);
  });

  test.each([
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:8402/v1/models",
    "http://localhost:8402/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://10.0.0.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://0/",
    "https://192.168.1.1/",
    "http://100.64.0.1/",
  ])("a webhook to %s is refused before anything is sent", async (url) => {
    const { id } = await add({ url });
    expect(await testChannel(deed, parts, String(id))).toMatchObject({
      delivered: false,
      fault: "the address is private or reserved",
    });
  });

  test("Slack gets a text, without any of our headers", async () => {
    await add({ kind: "slack" });
    await noteEvent(parts, event);
    await sendDue(parts);
    const [got] = hook.got as [Got];
    expect(JSON.parse(got.body)).toEqual({ text: event.text });
    expect(got.headers["webhook-signature"]).toBeUndefined();
  });

  test("mail goes to the operator's own server, and not to one in a private network by itself", async () => {
    const mail = await mailServer();
    const { url: _, ...mailOnly } = {
      kind: "email",
      name: "mail",
      to: ["ops@example.com"],
      url: undefined,
    };
    const made = await createChannel(deed, parts, {
      organizationId: "org_default",
      document: mailOnly as AlertChannelDocument,
    });
    const smtp = {
      host: "127.0.0.1",
      port: mail.port,
      secure: false,
      from: "turnpike@example.com",
    };
    const id = String(made["id"]);
    expect(await testChannel(deed, parts, id)).toMatchObject({
      fault: expect.stringContaining("smtp"),
    });
    const guarded = { ...parts, post: { ...parts.post, smtp: { ...smtp, allowPrivate: false } } };
    expect(await testChannel(deed, guarded, id)).toMatchObject({ delivered: false });
    expect(mail.mails).toEqual([]);
    const own = { ...parts, post: { ...parts.post, smtp: { ...smtp, allowPrivate: true } } };
    await noteEvent(own, { ...event, text: "Used to 80 %.\r\nBcc: evil@example.com" });
    await sendDue(own);
    expect(mail.mails).toHaveLength(1);
    expect(mail.mails[0]).toMatch(/^Subject: Turnpike: Used to 80 %\.\r?$/m);
    const head = String(mail.mails[0]).split("\r\n\r\n")[0];
    expect(head).not.toMatch(/^Bcc:/m);
    expect(head).toMatch(/^Message-ID: <evt_\w+@turnpike>\r?$/m);
    mail.close();
  });

  test("only channels that ask for a kind are told; operators alone of their credentials", async () => {
    await add({ events: ["key.leaked"] });
    await noteEvent(parts, event);
    expect(await sendDue(parts)).toBe(0);
    await store.core
      .insertInto("organizations")
      .values({
        id: "org_2",
        slug: "b",
        name: "B",
        plan: "free",
        time_zone: "UTC",
        settings: "{}",
        created_at: 1,
        disabled_at: null,
        version: 1,
      })
      .execute();
    const document = { kind: "slack", name: "b", url: `${hook.origin}/b` } as const;
    await createChannel(deed, parts, { organizationId: "org_2", document });
    const platform = {
      ...event,
      organizationId: null,
      kind: "provider.credential",
      once: "c",
    } as const;
    await noteEvent(parts, platform);
    expect(await sendDue(parts)).toBe(0);
    await noteEvent(parts, { ...platform, kind: "provider.down" });
    expect(await sendDue(parts)).toBe(1);
  });

  test("the URL and the secrets lie sealed in the store", async () => {
    const { secret } = await add();
    const rows = await store.core.selectFrom("alert_channels").selectAll().execute();
    const stored = JSON.stringify(rows) + Buffer.from(rows[0]?.secrets ?? []).toString("latin1");
    expect(stored).not.toContain("hidden");
    expect(stored).not.toContain(String(secret).slice(6, 30));
  });
});

test("a high error rate is told once a window, callers' own faults left out", () => {
  let clock = 0;
  const events: AlertEvent[] = [];
  const note = watchErrorRate(
    (event) => void events.push(event),
    () => clock,
  );
  const good = { organizationId: "org_1", status: 200, failure: null };
  for (let at = 0; at < 30; at++) note({ ...good, status: 400, failure: "invalid_request" });
  expect(events).toEqual([]);
  for (let at = 0; at < 30; at++) note({ ...good, status: 502, failure: "upstream_error" });
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ kind: "error-rate", organizationId: "org_1", once: "0" });
  clock = 5 * 60_000;
  for (let at = 0; at < 30; at++) note({ ...good, status: 502, failure: "upstream_error" });
  // In the same quarter of an hour it has the same name: the outbox tells it once.
  expect(events.map(({ once }) => once)).toEqual(["0", "0"]);
});
