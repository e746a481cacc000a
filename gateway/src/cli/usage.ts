import { defineCommand } from "citty";

import { CliError, printJson, table, type CliIo } from "#cli/cli-io.ts";
import { formatUsd } from "#cli/format-usd.ts";
import { readSince } from "#cli/read-since.ts";
import { shadowText } from "#cli/shadow-usage.ts";
import { withStore } from "#cli/with-store.ts";
import { listKeys } from "#store/keys.ts";
import {
  sumShadows,
  USAGE_GROUPS,
  type UsageGroup,
  type UsageRow,
} from "#store/request-records.ts";
import { usageSince } from "#telemetry/usage-since.ts";

/** `turnpike usage`: requests, tokens and costs of the last hours or days. */
export const usageCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "usage", description: "Show requests, tokens and costs" },
    args: {
      since: { type: "string", description: "30m, 24h, 7d, 4w or a date", default: "24h" },
      by: {
        type: "string",
        description: "model, provider, key, project, team, user or task",
        default: "model",
      },
      shadow: { type: "boolean", description: "What auto would have saved" },
      json: { type: "boolean", description: "Answer in JSON" },
    },
    run: async ({ args }) => {
      const since = readSince(args.since, io.now());
      if (args.shadow === true) {
        const rows = await withStore(io, ({ records }) => sumShadows(records, since));
        if (args.json !== true) return io.out(shadowText(rows, args.since));
        return printJson(io, { since: new Date(since).toISOString(), rows });
      }
      const by = readGrouping(args.by);
      const rows = await withStore(io, async ({ core, records }) => {
        const sums = await usageSince(records, { since, until: io.now() + 1 }, by);
        if (by !== "key") return sums;
        const names = new Map((await listKeys(core)).map(({ id, name }) => [id, name]));
        return sums.map((row) => ({ ...row, group: names.get(row.group) ?? row.group }));
      });
      if (args.json === true) {
        const shown = rows.map((row) => ({ ...row, costNanoUsd: costOf(row) }));
        printJson(io, { since: new Date(since).toISOString(), by, rows: shown });
      } else io.out(usageText(rows, by, args.since));
    },
  });

function readGrouping(text: string): UsageGroup {
  if (text in USAGE_GROUPS) return text as UsageGroup;
  throw new CliError(`--by takes ${Object.keys(USAGE_GROUPS).join(", ")}.`);
}

function usageText(rows: readonly UsageRow[], by: UsageGroup, since: string): string {
  if (rows.length === 0) return `No requests (--since ${since}).`;
  const body = rows.map((row) => [row.group, ...countsOf(row)]);
  const total = rows.reduce(add);
  const heading = [by.toUpperCase(), "REQUESTS", "FAILED", "TOKENS IN", "TOKENS OUT", "COST"];
  const lines = [heading, ...body, ["total", ...countsOf(total)]];
  return [table(lines, [1, 2, 3, 4, 5]), ...notesOn(rows, total)].join("\n");
}

function notesOn(rows: readonly UsageRow[], { unpriced }: UsageRow): readonly string[] {
  const groups = rows.filter((row) => row.unpriced > 0).map(({ group }) => group);
  const requests = unpriced === 1 ? "1 request has" : `${unpriced} requests have`;
  const cost = `${requests} no known cost and ${unpriced === 1 ? "is" : "are"} not in the sums: ${groups.join(", ")}`;
  const isUnanswered = rows.some(({ group }) => group === NOBODY);
  return [
    ...(unpriced > 0 ? [cost] : []),
    ...(isUnanswered ? [`${NOBODY}  failed before a model, provider or key was found`] : []),
  ];
}

/** The group of requests that no model, provider or key answered for. */
const NOBODY = "-";

/** `null` where nothing in the sum has a known cost: that is not zero. */
const costOf = ({ unpriced, requests, costNanoUsd }: UsageRow): number | null =>
  unpriced === requests ? null : costNanoUsd;

const countsOf = (row: UsageRow): readonly string[] => [
  String(row.requests),
  String(row.failed),
  String(row.inputTokens),
  String(row.outputTokens),
  row.unpriced === row.requests ? "?" : formatUsd(row.costNanoUsd),
];

const add = (a: UsageRow, b: UsageRow): UsageRow => ({
  group: "total",
  requests: a.requests + b.requests,
  failed: a.failed + b.failed,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  costNanoUsd: a.costNanoUsd + b.costNanoUsd,
  unpriced: a.unpriced + b.unpriced,
});
