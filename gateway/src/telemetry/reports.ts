import type { Kysely } from "kysely";

import { invalidRequest } from "#canonical/failure.ts";
import type { JsonObject } from "#lib/json.ts";
import type { RecordTables } from "#store/schema.ts";
import { ROLLUP_SUMS } from "#store/tables/record-tables.ts";
import {
  dayPages,
  REPORT_ORDERS,
  sumAll,
  sumByDay,
  sumByHour,
  sumByValue,
  type ReportCursor,
  type ReportOrder,
  type RollupFilter,
} from "#store/rollup-sums.ts";
import { pageEnd } from "#telemetry/page-end.ts";
import { csvLine } from "#telemetry/csv.ts";
import { reportRow } from "#telemetry/report-row.ts";
import { DAY_MS, dayOf, type Dimension } from "#telemetry/rollup-rows.ts";

/** What a report is asked for. Days are UTC. */
export interface ReportQuery {
  /** `undefined`: all organizations, for the operator. */
  readonly organizationId?: string | undefined;
  /** `hour`: over all requests. */
  readonly by: Dimension | "day" | "hour";
  /** Any moments of the first and of the last day; both days are whole and counted. */
  readonly from: number;
  readonly to: number;
  /** Only of this project or key: with `by` model. */
  readonly within?: { readonly project: string } | { readonly key: string } | undefined;
  /** With `by` day: whose days; those of all requests by default. */
  readonly of?: Dimension | undefined;
  /** Only this value of the dimension. */
  readonly value?: string | undefined;
}

export interface ReportPageQuery extends ReportQuery {
  readonly order?: ReportOrder | undefined;
  readonly cursor?: string | undefined;
  /** 1 to 500; 50 by default. */
  readonly limit?: number | undefined;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
const MAX_DAYS = 400;
/** Of pairs and hours there are too many for more. */
const MAX_PAIR_DAYS = 31;

/**
 * Sums between two days by any dimension, the dearest first, with the sums over all; or by day, oldest
 * first. @throws GatewayError for a range, limit or cursor that cannot be
 */
export async function spendReport(
  records: Kysely<RecordTables>,
  query: ReportPageQuery,
): Promise<JsonObject> {
  const filter = filterOf(query);
  const range = {
    from: dateText(filter.since),
    to: dateText(filter.until - DAY_MS),
    time_zone: "UTC",
  };
  if (query.by === "hour") {
    const rows = await sumByHour(records, filter);
    const data = rows.map((row) => ({
      hour: new Date(row.bucket).toISOString(),
      ...reportRow(row),
    }));
    const total = await totalOf(records, query);
    return { object: "list", ...range, by: "hour", data, total, ...pageEnd(null) };
  }
  if (query.by === "day") {
    const [rows, total] = await Promise.all([sumByDay(records, filter), totalOf(records, query)]);
    const data = rows.map((row) => ({ day: dateText(row.bucket), ...reportRow(row) }));
    return { object: "list", ...range, by: "day", data, total, ...pageEnd(null) };
  }
  const { order = "charge", limit = DEFAULT_LIMIT } = query;
  const page = { order, limit: readLimit(limit), after: readCursor(query.cursor) };
  const [rows, total] = await Promise.all([
    sumByValue(records, filter, page),
    totalOf(records, query),
  ]);
  const shown = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? shown.at(-1) : undefined;
  return {
    object: "list",
    ...range,
    by: query.by,
    data: shown.map((row) => ({ value: valueOf(row.value, query), ...reportRow(row) })),
    total,
    ...pageEnd(
      last === undefined
        ? null
        : cursorText({ amount: last[REPORT_ORDERS[order]], value: last.value }),
    ),
  };
}

/** Of all requests of that time; within a project or key, or of one value, of its own. */
async function totalOf(records: Kysely<RecordTables>, query: ReportQuery): Promise<JsonObject> {
  const { by: _by, of: _of, value, within, ...rest } = query;
  const isOfAll = within === undefined && value === undefined;
  const total = { ...rest, by: "total" } as const;
  if (isOfAll) return reportRow(await sumAll(records, filterOf(total)));
  if (value !== undefined) return reportRow(await sumAll(records, filterOf(query)));
  const [dimension, id] = Object.entries(within ?? {})[0] ?? [];
  const own = { ...rest, by: dimension as "project" | "key", value: id };
  return reportRow(await sumAll(records, filterOf(own)));
}

/** The same sums day by day and value by value as CSV, a piece at a time. */
export async function* spendCsv(
  records: Kysely<RecordTables>,
  query: ReportQuery,
): AsyncGenerator<string> {
  yield csvLine(["day", query.by === "day" ? "total" : query.by, ...ROLLUP_SUMS]);
  for await (const rows of dayPages(records, filterOf(query))) {
    yield rows
      .map((row) =>
        csvLine([
          dateText(row.bucket),
          valueOf(row.value, query),
          ...ROLLUP_SUMS.map((name) => row[name]),
        ]),
      )
      .join("");
  }
}

function filterOf(query: ReportQuery): RollupFilter {
  const { organizationId, by, within, value } = query;
  const prefix = within === undefined ? undefined : prefixOf(within);
  if (prefix !== undefined && by !== "model") {
    throw invalidRequest("by", "Within a project or a key, spend is told by model.");
  }
  const plain = by === "day" ? (query.of ?? "total") : by === "hour" ? "total" : by;
  const dimension = within === undefined ? plain : pairOf(within);
  const named = value === undefined ? undefined : `${prefix ?? ""}${value}`;
  return {
    organizationId,
    dimension,
    ...rangeOf(query),
    ...(named === undefined ? { prefix } : { value: named }),
  };
}

function rangeOf({ by, from, to, value }: ReportQuery): Pick<RollupFilter, "since" | "until"> {
  const [since, until] = [dayOf(from), dayOf(to) + DAY_MS];
  if (!(since < until)) throw invalidRequest("to", '"to" lies before "from".');
  const isOfMany = by === "hour" || (by.includes("+") && value === undefined);
  const most = isOfMany ? MAX_PAIR_DAYS : MAX_DAYS;
  if (until - since > most * DAY_MS) {
    const what = isOfMany ? `A report by ${by}` : "A report";
    throw invalidRequest("from", `${what} covers at most ${most} days; ask for several.`);
  }
  return { since, until };
}

type Within = NonNullable<ReportQuery["within"]>;

const prefixOf = (within: Within): string =>
  `${"project" in within ? within.project : within.key}/`;

const pairOf = (within: Within): Dimension => ("project" in within ? "project+model" : "key+model");

/** The model alone where the first half of the pair was asked for. */
const valueOf = (value: string, { within }: ReportQuery): string =>
  within === undefined ? value : value.slice(prefixOf(within).length);

const dateText = (time: number): string => new Date(time).toISOString().slice(0, 10);

export function readLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw invalidRequest("limit", `"limit" is a whole number from 1 to ${MAX_LIMIT}.`);
}

const cursorText = ({ amount, value }: ReportCursor): string =>
  Buffer.from(JSON.stringify([String(amount), value])).toString("base64url");

function readCursor(cursor: string | undefined): ReportCursor | undefined {
  if (cursor === undefined) return undefined;
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(read) && typeof read[0] === "string" && typeof read[1] === "string") {
      return { amount: BigInt(read[0]), value: read[1] };
    }
  } catch {
    // Told below.
  }
  throw invalidRequest("cursor", '"cursor" is not one that a page has given as its "next".');
}
