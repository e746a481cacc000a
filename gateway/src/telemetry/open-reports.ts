import type { Kysely } from "kysely";

import type { JsonObject } from "#lib/json.ts";
import { findRecord } from "#store/request-records.ts";
import type { RecordTables } from "#store/schema.ts";
import { logCsv, requestLog, type LogQuery } from "#telemetry/request-log.ts";
import {
  spendCsv,
  spendReport,
  type ReportPageQuery,
  type ReportQuery,
} from "#telemetry/reports.ts";
import { requestTrace, sessionTrace } from "#telemetry/trace.ts";

/** All that can be asked of records and their sums. */
export interface Reports {
  spend(query: ReportPageQuery): Promise<JsonObject>;
  spendCsv(query: ReportQuery): AsyncIterable<string>;
  log(query: LogQuery): Promise<JsonObject>;
  logCsv(query: LogQuery): AsyncIterable<string>;
  /** Where a request lies; `undefined`: there is none. */
  placeOf(requestId: string): Promise<RequestPlace | undefined>;
  trace(requestId: string): Promise<JsonObject | undefined>;
  session(
    session: string,
    of: { readonly organizationId: string; readonly after?: string | undefined },
  ): Promise<JsonObject | undefined>;
}

export interface RequestPlace {
  readonly organizationId: string;
  readonly teamId: string | null;
}

export const openReports = (records: Kysely<RecordTables>): Reports => ({
  spend: (query) => spendReport(records, query),
  spendCsv: (query) => spendCsv(records, query),
  log: (query) => requestLog(records, query),
  logCsv: (query) => logCsv(records, query),
  placeOf: async (requestId) => {
    const row = await findRecord(records, requestId);
    return row && { organizationId: row.organization_id, teamId: row.team_id };
  },
  trace: (requestId) => requestTrace(records, requestId, {}),
  session: (session, of) => sessionTrace(records, session, of),
});
