import { defineCommand } from "citty";

import { CliError, printJson, table, type CliIo } from "#cli/cli-io.ts";
import { readSince } from "#cli/read-since.ts";
import { withStore } from "#cli/with-store.ts";
import type { JsonObject } from "#lib/json.ts";
import { rebuildRollups } from "#telemetry/rebuild-rollups.ts";
import { spendCsv, spendReport } from "#telemetry/reports.ts";
import { DIMENSIONS, type Dimension } from "#telemetry/rollup-rows.ts";

/** `turnpike reports`: spend by anything, and its sums made anew. */
export const reportsCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "reports", description: "Spend, savings, cache hits and drift by day" },
    subCommands: { show: showCommand(io), rebuild: rebuildCommand(io) },
  });

const showCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "show", description: "Show a report" },
    args: {
      by: { type: "string", description: `hour, day, ${DIMENSIONS.join(", ")}`, default: "model" },
      since: { type: "string", description: "First day: 7d, 4w or a date (UTC)", default: "30d" },
      limit: { type: "string", description: "Rows, at most 500", default: "50" },
      json: { type: "boolean", description: "Answer in JSON" },
      csv: { type: "boolean", description: "Answer in CSV, by day and value" },
    },
    run: async ({ args }) => {
      const by = readDimension(args.by);
      const query = { by, from: readSince(args.since, io.now()), to: io.now() };
      await withStore(io, async ({ records }) => {
        if (args.csv === true) {
          for await (const piece of spendCsv(records, query)) io.out(piece.replace(/\r\n$/, ""));
          return;
        }
        const report = await spendReport(records, { ...query, limit: Number(args.limit) });
        if (args.json === true) printJson(io, report);
        else io.out(reportText(report, by));
      });
    },
  });

const rebuildCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "rebuild", description: "Make the sums of reports anew from the records" },
    args: {
      since: { type: "string", description: "7d, 4w or a date; from the beginning by default" },
      json: { type: "boolean", description: "Answer in JSON" },
    },
    run: async ({ args }) => {
      const since = args.since === undefined ? 0 : readSince(args.since, io.now());
      const days = await withStore(io, ({ records }) =>
        rebuildRollups(records, { since, until: io.now() + 86_400_000 }),
      );
      if (args.json === true) printJson(io, { days });
      else io.out(`Made anew: ${days} ${days === 1 ? "day" : "days"}.`);
    },
  });

function readDimension(text: string): Dimension | "day" | "hour" {
  if (text === "day" || text === "hour") return text;
  const found = DIMENSIONS.find((name) => name === text);
  if (found === undefined) throw new CliError(`--by takes hour, day, ${DIMENSIONS.join(", ")}.`);
  return found;
}

function reportText(report: JsonObject, by: string): string {
  const rows = report["data"] as JsonObject[];
  if (rows.length === 0) return "No requests.";
  const heading = [
    by.toUpperCase(),
    "REQUESTS",
    "FAILED",
    "CACHE HITS",
    "CACHE SAVED",
    "SAVED",
    "CHARGE",
  ];
  const total = report["total"] as JsonObject;
  const lines = [...rows, { ...total, value: "total", day: "total" } as JsonObject].map((row) => [
    String(row["value"] ?? row["day"] ?? row["hour"]),
    String(row["requests"]),
    String(row["failed"]),
    row["cache_hit_rate"] === null ? "-" : `${Math.round(Number(row["cache_hit_rate"]) * 100)} %`,
    `$${String(row["cache_saved_usd"])}`,
    `$${String((row["savings"] as JsonObject)["saved_usd"])}`,
    `$${String(row["charge_usd"])}`,
  ]);
  return table([heading, ...lines], [1, 2, 3, 4, 5, 6]);
}
