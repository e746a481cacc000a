import { defineCommand } from "citty";

import { CliError, printJson, table, type CliIo } from "#cli/cli-io.ts";
import { withStore } from "#cli/with-store.ts";
import type { JsonObject } from "#lib/json.ts";
import { requestTrace, sessionTrace } from "#telemetry/trace.ts";

/** `turnpike trace`: what happened to a request, or within a session. */
export const traceCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "trace", description: "Tell a request or a session step by step" },
    args: {
      id: { type: "positional", description: "a request's id, or a session's", required: true },
      json: { type: "boolean", description: "Answer in JSON" },
    },
    run: async ({ args }) => {
      const found = await withStore(
        io,
        async ({ records }) =>
          (await requestTrace(records, args.id, {})) ?? (await sessionTrace(records, args.id, {})),
      );
      if (found === undefined) throw new CliError(`there is no request or session "${args.id}".`);
      if (args.json === true) return printJson(io, found);
      io.out(found["object"] === "session" ? sessionText(found) : requestText(found));
    },
  });

type Row = Readonly<Record<string, string | number | boolean | null | undefined>>;

function requestText(trace: JsonObject): string {
  const steps = trace["timeline"] as Row[];
  const lines = steps.map((step) => {
    const { at_ms, step: name, ...facts } = step;
    return [`${at_ms} ms`, String(name), factsText(facts)];
  });
  const { charge_usd: charge } = trace;
  const cost = typeof charge === "string" ? `charged $${charge}` : "cost unknown";
  return [
    `${String(trace["id"])}  ${String(trace["created_at"])}  ${cost}`,
    table(lines, [0]),
  ].join("\n");
}

const factsText = (facts: Row): string =>
  Object.entries(facts)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join("  ");

function sessionText(trace: JsonObject): string {
  const turns = trace["turns"] as { requests: Row[]; charge_usd: string; took_ms: number }[];
  const lines = turns.flatMap(({ requests, charge_usd, took_ms }, at) => [
    [
      `turn ${at + 1}`,
      `${requests.length} requests`,
      `${Math.round(took_ms)} ms`,
      `$${charge_usd}`,
    ],
    ...requests.map((row) => [
      row["in_tool_loop"] === true ? "  tool loop" : "  asked",
      String(row["id"]),
      `${Math.round(Number(row["total_ms"]))} ms`,
      `${String(row["model"] ?? row["model_asked"])} ${String(row["failure"] ?? "")}`.trim(),
    ]),
  ]);
  const head = `${String(trace["session"])}: ${String(trace["requests"])} requests, ${String(trace["failed"])} failed, $${String(trace["charge_usd"])}`;
  return [head, table(lines, [2])].join("\n");
}
