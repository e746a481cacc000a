import { writeFileSync, appendFileSync } from "node:fs";

import { defineCommand } from "citty";

import { CliError, printJson, table, type CliIo } from "#cli/cli-io.ts";
import { readSince } from "#cli/read-since.ts";
import { withStore } from "#cli/with-store.ts";
import type { JsonObject } from "#lib/json.ts";
import { logCsv, requestLog, type LogQuery } from "#telemetry/request-log.ts";

const text = (description: string) => ({ type: "string", description }) as const;

/** `turnpike log`: the newest requests, filtered. */
export const logCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "log", description: "List the newest requests" },
    args: {
      key: text("Id of the key"),
      project: text("Id of the project"),
      team: text("Id of the team"),
      model: text("The model that answered"),
      provider: text("The provider that answered"),
      user: text("The end user"),
      tag: text("One of the tags"),
      session: text("The session"),
      task: text("The task class"),
      failure: text("Code of the failure"),
      failed: { type: "boolean", description: "Failed ones only" },
      status: text("HTTP status"),
      since: text("30m, 24h, 7d, 4w or a date"),
      limit: { type: "string", description: "How many, at most 500", default: "20" },
      cursor: text("Where the page before has ended"),
      json: { type: "boolean", description: "Answer in JSON" },
      csv: text("Write all of them to a file as CSV"),
    },
    run: async ({ args }) => {
      const query: LogQuery = {
        keyId: args.key,
        projectId: args.project,
        teamId: args.team,
        model: args.model,
        provider: args.provider,
        endUser: args.user,
        tag: args.tag,
        conversation: args.session,
        taskClass: args.task,
        failure: args.failure,
        failed: args.failed === true ? true : undefined,
        status: args.status === undefined ? undefined : Number(args.status),
        since: args.since === undefined ? undefined : readSince(args.since, io.now()),
        cursor: args.cursor,
        limit: Number(args.limit),
      };
      if (args.csv !== undefined) return writeCsv(io, query, args.csv);
      const page = await withStore(io, ({ records }) =>
        fullPage(query, (of) => requestLog(records, of)),
      );
      if (args.json === true) return printJson(io, page);
      io.out(logText(page));
    },
  });

/** A page may be short and have a next one: so many are asked for before the person is. */
const MAX_PAGES = 50;

async function fullPage(
  query: LogQuery,
  read: (query: LogQuery) => Promise<JsonObject>,
): Promise<JsonObject> {
  const data: unknown[] = [];
  let page = await read(query);
  for (let pages = 1; ; pages++) {
    data.push(...(page["data"] as unknown[]));
    const next = page["next_cursor"];
    const missing = (query.limit ?? 0) - data.length;
    if (typeof next !== "string" || missing <= 0 || pages >= MAX_PAGES) break;
    page = await read({ ...query, cursor: next, limit: missing });
  }
  return { ...page, data };
}

async function writeCsv(io: CliIo, query: LogQuery, file: string): Promise<void> {
  try {
    writeFileSync(file, "", { mode: 0o600, flag: "wx" });
  } catch (error) {
    throw new CliError(`cannot write ${file}: ${(error as Error).message}`, { cause: error });
  }
  await withStore(io, async ({ records }) => {
    for await (const piece of logCsv(records, query, Infinity)) appendFileSync(file, piece);
  });
  io.err(`Written to ${file}.`);
}

function logText(page: JsonObject): string {
  const rows = page["data"] as Record<string, string | number | null>[];
  if (rows.length === 0) return "No requests.";
  const heading = ["TIME", "ID", "MODEL", "PROVIDER", "STATUS", "IN", "OUT", "MS", "CHARGE"];
  const lines = rows.map((row) => [
    String(row["created_at"]).slice(0, 19),
    String(row["id"]),
    String(row["model"] ?? row["model_asked"]),
    String(row["provider"] ?? "-"),
    row["failure"] === null ? String(row["status"]) : `${row["status"]} ${row["failure"]}`,
    String(row["input_tokens"] ?? "-"),
    String(row["output_tokens"] ?? "-"),
    String(Math.round(Number(row["total_ms"]))),
    row["charge_usd"] === null ? "?" : `$${row["charge_usd"]}`,
  ]);
  const next = page["next_cursor"];
  const more = typeof next === "string" ? [`More: --cursor ${next}`] : [];
  return [table([heading, ...lines], [5, 6, 7, 8]), ...more].join("\n");
}
