import { afterAll, beforeAll, expect, test } from "vitest";

import { startAdminApi, type AdminApiOfTest } from "#test/admin-api.ts";
import { WORLD } from "#test/admin-world.ts";

let api: AdminApiOfTest;
beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api.close());

const body = {
  organization_id: WORLD.own,
  channel: { kind: "webhook", name: "ops", url: "https://hooks.example.com/in?token=hidden" },
};

test("a channel is made, shown without what is secret, tested, rotated and removed", async () => {
  const made = await api.ask("owner", "POST /api/alert-channels", body);
  expect(made).toMatchObject({
    status: 201,
    body: { kind: "webhook", url: "https://hooks.example.com" },
  });
  expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const path = `/api/alert-channels/${made.body.id}`;
  for (const request of [`GET ${path}`, `GET /api/alert-channels?organization_id=${WORLD.own}`]) {
    const shown = await api.ask("viewer", request);
    expect(shown.status).toBe(200);
    expect(shown.text).not.toMatch(/hidden|whsec_/);
  }
  expect((await api.ask("stranger-owner", `GET ${path}`)).status).toBe(404);
  expect((await api.ask("viewer", `DELETE ${path}`)).status).toBe(403);
  expect((await api.ask("viewer", `POST ${path}/test`)).status).toBe(403);
  const tested = await api.ask("owner", `POST ${path}/test`);
  expect(tested.body).toEqual({ delivered: false, fault: "the connection failed" });
  const rotated = await api.ask("owner", `POST ${path}/rotate`);
  expect(rotated.body.secret).not.toBe(made.body.secret);
  const etag = rotated.headers.get("etag") ?? "";
  expect((await api.ask("viewer", `GET ${path}`)).headers.get("etag")).toBe(etag);
  const removed = await api.ask("owner", `DELETE ${path}`, undefined, { "if-match": etag });
  expect(removed.body).toMatchObject({ deleted: true });
  expect((await api.ask("owner", `GET ${path}`)).status).toBe(404);
});

test("a key that is reported as leaked is told of once", async () => {
  const made = await api.ask("owner", "POST /api/alert-channels", body);
  const path = `POST /api/keys/${WORLD.key}/report-leak`;
  expect((await api.ask("owner", path)).body).toEqual({ reported: true });
  expect((await api.ask("owner", path)).body).toEqual({ reported: false });
  expect((await api.ask("stranger-owner", path)).status).toBe(404);
  const list = await api.ask("owner", `GET /api/alert-channels/${made.body.id}/deliveries`);
  expect(list.body.data).toMatchObject([{ kind: "key.leaked", state: "waiting", tries: 0 }]);
});

test.each([
  [{ ...body, channel: { ...body.channel, url: "ftp://x" } }, /^channel\.url/],
  [{ ...body, channel: { ...body.channel, url: "https://u:p@x.example" } }, /^url/],
  [{ ...body, channel: { ...body.channel, events: ["colour"] } }, /^channel\.events/],
  [{ ...body, channel: { kind: "email", name: "x", to: ["no address"] } }, /^channel\.to/],
  [{ ...body, channel: { ...body.channel, secret: "x" } }, /secret/],
])("a channel that cannot be is refused: %j", async (wrong, field) => {
  const answer = await api.ask("owner", "POST /api/alert-channels", wrong);
  expect(answer.body).toMatchObject({ status: 400, field: expect.stringMatching(field) });
});
