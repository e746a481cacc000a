import type { Store } from "../../../gateway/src/store/store.ts";
import { requestLog, type LogQuery } from "../../../gateway/src/telemetry/request-log.ts";
import { spendReport, type ReportPageQuery } from "../../../gateway/src/telemetry/reports.ts";
import { DIMENSIONS } from "../../../gateway/src/telemetry/rollup-rows.ts";
import { requestTrace, sessionTrace } from "../../../gateway/src/telemetry/trace.ts";
import { BIG_ORGANIZATION, LAST_DAY, SPREAD } from "./fill.ts";

export interface Page {
  readonly name: string;
  /** Reads one; different things each time. */
  read(records: Store["records"], at: number): Promise<unknown>;
}

const DAY_MS = 86_400_000;
const organizationId = BIG_ORGANIZATION;

const report = (name: string, query: Partial<ReportPageQuery>, days = 30): Page => ({
  name: `report ${name}, ${days} days`,
  read: (records) =>
    spendReport(records, {
      organizationId,
      by: "model",
      from: LAST_DAY - (days - 1) * DAY_MS,
      to: LAST_DAY,
      ...query,
    }),
});

/** The first page and one far behind it. */
const log = (name: string, filter: (at: number) => LogQuery): readonly Page[] => [
  {
    name: `log ${name}`,
    read: (records, at) => requestLog(records, { organizationId, ...filter(at) }),
  },
  {
    name: `log ${name}, two months back`,
    read: (records, at) =>
      requestLog(records, {
        organizationId,
        ...filter(at),
        cursor: cursorAt(LAST_DAY - 60 * DAY_MS),
      }),
  },
];

const cursorAt = (time: number): string => Buffer.from(`${time} req_z`).toString("base64url");

const PROVIDER_ONE = "provider-1";

export const PAGES: readonly Page[] = [
  ...DIMENSIONS.map((by) => report(`by ${by}`, { by })),
  report("by model of all organizations", { organizationId: undefined }),
  report("by day", { by: "day" }),
  report("by day", { by: "day" }, 365),
  report("by day of one key", { by: "day", of: "key", value: "key_7" }, 365),
  report("by model within a project", { by: "model", within: { project: "proj_7" } }, 365),
  report("by model within a key", { by: "model", within: { key: "key_7" } }, 365),
  ...(["model", "key", "user", "tag"] as const).map((by) => report(`by ${by}`, { by }, 365)),
  ...log("of all", () => ({})),
  ...log("by key", (at) => ({ keyId: `key_${at % SPREAD.keys}` })),
  ...log("by project", (at) => ({ projectId: `proj_${at % SPREAD.projects}` })),
  ...log("by team", (at) => ({ teamId: `team_${at % SPREAD.teams}` })),
  ...log("by model", (at) => ({ model: `model-${at % SPREAD.models}` })),
  ...log("by provider", (at) => ({ provider: `provider-${at % SPREAD.providers}` })),
  ...log("by end user", (at) => ({ endUser: `user-${at * 977}` })),
  ...log("by tag", (at) => ({ tag: `tag-${at % SPREAD.tags}` })),
  ...log("by session", (at) => ({ conversation: `conv_${at * 977}` })),
  ...log("by task", (at) => ({ taskClass: `task-${at % SPREAD.tasks}` })),
  ...log("of failures", () => ({ failed: true })),
  ...log("by status", () => ({ status: 502 })),
  ...log("by a rare model", () => ({ model: "rare" })),
  ...log("by a rare key", () => ({ keyId: "key_rare" })),
  ...log("by a model that is not there", () => ({ model: "none" })),
  ...log("by model and key", (at) => ({ model: `model-${at % SPREAD.models}`, keyId: "key_7" })),
  ...log("by provider and failure", () => ({ provider: PROVIDER_ONE, failed: true })),
  ...log("by provider and a rare model", () => ({ provider: PROVIDER_ONE, model: "rare" })),
  ...log("by team and status that is not there", () => ({ teamId: "team_3", status: 418 })),
  ...log("by tag and model", (at) => ({ tag: "tag-5", model: `model-${at % SPREAD.models}` })),
  ...log("within a week", () => ({ since: LAST_DAY - 40 * DAY_MS, until: LAST_DAY - 33 * DAY_MS })),
  {
    name: "trace of a request",
    read: (records, at) => requestTrace(records, `req_${1_000_000_000 + at * 997}`, {}),
  },
  {
    name: "trace of a session",
    read: (records, at) => sessionTrace(records, `conv_${at * 991}`, { organizationId }),
  },
];
