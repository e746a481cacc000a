import { afterAll, beforeAll, expect, test } from "vitest";

import { createRecordWriter } from "#telemetry/write-record.ts";
import { startAdminApi, type AdminApiOfTest } from "#test/admin-api.ts";
import { WORLD } from "#test/admin-world.ts";
import { requestRecord } from "#test/request-record.ts";

const DAY = "2026-05-01";
const startedAt = Date.parse(`${DAY}T12:00:00Z`);

let api: AdminApiOfTest;
beforeAll(async () => {
  api = await startAdminApi();
  const write = createRecordWriter(api.records);
  const own = { startedAt, organizationId: WORLD.own, conversation: "s1" };
  await Promise.all(
    [
      requestRecord("req_1", { ...own, projectId: WORLD.project, teamId: WORLD.team }),
      requestRecord("req_2", { ...own, projectId: WORLD.siblingProject, teamId: WORLD.sibling }),
      requestRecord("req_3", { ...own, organizationId: WORLD.other }),
    ].map(write),
  );
});
afterAll(() => api.close());

const days = `from=${DAY}&to=${DAY}`;
const own = `organization_id=${WORLD.own}`;

test("spend is told to whoever may read reports there, in its own organization only", async () => {
  const spend = `GET /api/reports/spend?${own}&${days}`;
  const report = await api.ask("billing", `${spend}&by=project`);
  expect(report.body.data.map(({ value }: { value: string }) => value).toSorted()).toEqual([
    WORLD.project,
    WORLD.siblingProject,
  ]);
  expect(report.body.total).toMatchObject({ requests: 2 });
  expect((await api.ask("stranger-owner", spend)).status).toBe(404);
  expect((await api.ask("team-viewer", spend)).status).toBe(404);
  const ofTeam = await api.ask("team-viewer", `${spend}&by=day&team_id=${WORLD.team}`);
  expect(ofTeam.body.total).toMatchObject({ requests: 1 });
  const ofProject = await api.ask("team-viewer", `${spend}&by=model&project_id=${WORLD.project}`);
  expect(ofProject.body.data).toMatchObject([{ value: "demo-echo", requests: 1 }]);
  const sibling = await api.ask("team-viewer", `${spend}&by=day&team_id=${WORLD.sibling}`);
  expect(sibling.status).toBe(404);
  const foreign = await api.ask("owner", `${spend}&by=model&project_id=${WORLD.otherProject}`);
  expect(foreign.status).toBe(404);
});

test("spend as CSV", async () => {
  const { text, headers } = await api.ask("billing", `GET /api/reports/spend.csv?${own}&${days}`);
  expect(headers.get("content-type")).toContain("text/csv");
  expect(headers.get("content-disposition")).toContain("spend.csv");
  expect(text).toMatch(/^day,model,requests[^\r]*\r\n2026-05-01,demo-echo,2,/);
});

test("the log and its traces are told to whoever may read records", async () => {
  const log = await api.ask("viewer", `GET /api/requests?${own}&limit=1`);
  expect(log.body.data).toHaveLength(1);
  const more = await api.ask("viewer", `GET /api/requests?${own}&cursor=${log.body.next_cursor}`);
  expect([...log.body.data, ...more.body.data].map(({ id }: { id: string }) => id)).toEqual([
    "req_2",
    "req_1",
  ]);
  expect((await api.ask("billing", `GET /api/requests?${own}`)).status).toBe(404);
  const ofTeam = await api.ask("team-developer", `GET /api/requests?${own}&team_id=${WORLD.team}`);
  expect(ofTeam.body.data).toMatchObject([{ id: "req_1" }]);
  const trace = await api.ask("team-developer", "GET /api/requests/req_1");
  expect(trace.body.timeline[0]).toMatchObject({ step: "request" });
  expect((await api.ask("team-developer", "GET /api/requests/req_2")).status).toBe(404);
  expect((await api.ask("owner", "GET /api/requests/req_3")).status).toBe(404);
  expect((await api.ask("owner", "GET /api/requests/none")).status).toBe(404);
  const session = await api.ask("viewer", `GET /api/sessions/s1?${own}`);
  expect(session.body).toMatchObject({ object: "session", requests: 2 });
  const csv = await api.ask("viewer", `GET /api/requests.csv?${own}`);
  expect(csv.text.split("\r\n")).toHaveLength(4);
});

test.each([
  ["/api/reports/spend?from=2026-05-01&to=2026-05-01", "organization_id"],
  [`/api/reports/spend?${own}&from=yesterday&to=2026-05-01`, "from"],
  [`/api/reports/spend?${own}&from=2026-05-02&to=2026-05-01`, "to"],
  [`/api/reports/spend?${own}&${days}&by=colour`, "by"],
  [`/api/reports/spend?${own}&${days}&limit=100000`, "limit"],
  [`/api/reports/spend?${own}&${days}&cursor=x`, "cursor"],
  [`/api/reports/spend?${own}&${days}&by=tag&project_id=${WORLD.project}`, "by"],
  [`/api/requests?${own}&cursor=x`, "cursor"],
  [`/api/requests?${own}&status=abc`, "status"],
  [`/api/requests?${own}&colour=red`, "colour"],
])("GET %s is refused, and %s is named", async (path, field) => {
  expect((await api.ask("owner", `GET ${path}`)).body).toMatchObject({ status: 400, field });
});
