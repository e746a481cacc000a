import { defineCommand } from "citty";

import { CliError, printJson, type CliIo } from "#cli/cli-io.ts";
import { asOperator } from "#cli/operator.ts";
import { verbs } from "#cli/verb.ts";
import { onlyOrganization, reachOfOption } from "#cli/within-organization.ts";
import { auditLines } from "#governance/read-audit.ts";
import { verifyAudit, type AuditAnchor } from "#governance/verify-audit.ts";

/** `turnpike audit …` */
export const auditCommand = (io: CliIo) =>
  verbs("audit", "Verify and export the audit log", {
    verify: verifyCommand(io),
    export: exportCommand(io),
  });

/** Fails when the chain is broken, and names the first entry that does not fit. */
const verifyCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "verify", description: "Reckon the chain of hashes anew" },
    args: {
      anchor: {
        type: "string",
        description: "number:hash that an earlier verification printed; finds a chain written anew",
      },
      json: { type: "boolean", description: "Answer in JSON" },
    },
    run: async ({ args }) => {
      const anchor = args.anchor === undefined ? undefined : readAnchor(args.anchor);
      const verdict = await asOperator(io, ({ core }) => verifyAudit(core, anchor));
      if (args.json === true) printJson(io, verdict);
      else if (verdict.intact) {
        const { seq, hash } = verdict.head;
        io.out(`Intact: ${verdict.entries} entries. Anchor: ${seq}:${hash}`);
      }
      if (verdict.intact) return 0;
      const { seq, id, reason } = verdict.broken;
      const what = id === null ? `entry ${seq}` : `entry ${seq} (${id})`;
      if (args.json !== true) throw new CliError(`the audit log is broken at ${what}: ${reason}.`);
      return 1;
    },
  });

function readAnchor(text: string): AuditAnchor {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined) {
    throw new CliError("--anchor is number:hash, as audit verify prints it.");
  }
  return { seq: Number(seq), hash };
}

const exportCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "export", description: "Print the audit log as JSON Lines, the newest first" },
    args: {
      action: { type: "string", description: "keys.create, or keys. for all of keys" },
      target: { type: "string", description: "Id of what it was done to" },
      since: { type: "string", description: "A date or time" },
      organization: onlyOrganization,
      json: { type: "boolean", description: "It is JSON anyway" },
    },
    run: async ({ args }) => {
      const query = { action: args.action, target_id: args.target, from: args.since };
      if (args.since !== undefined && Number.isNaN(Date.parse(args.since))) {
        throw new CliError(`--since: "${args.since}" is no date.`);
      }
      await asOperator(io, async (deed) => {
        const reach = await reachOfOption(deed, args.organization);
        for await (const line of auditLines(deed, query, reach)) io.out(line.trimEnd());
      });
    },
  });
