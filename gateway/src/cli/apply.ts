import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { defineCommand } from "citty";
import { stringify } from "yaml";

import { channelsInFile } from "#alerts/channels-in-file.ts";
import { CliError, dataFolder, printJson, type CliIo } from "#cli/cli-io.ts";
import { asOperator } from "#cli/operator.ts";
import { readGovernanceFile } from "#config/read-governance-file.ts";
import { applyGovernance } from "#governance/apply-file.ts";
import { FileFault, type PlanEntry } from "#governance/applying.ts";
import { exportGovernance } from "#governance/export-file.ts";
import { loadMasterKey, MASTER_KEY_VARIABLE } from "#privacy/master-key.ts";

const json = { type: "boolean", description: "Answer in JSON" } as const;

/** `turnpike export`: who may, as a file without secrets. */
export const exportCommand = (io: CliIo) =>
  defineCommand({
    meta: {
      name: "export",
      description:
        "Write organizations, teams, projects, policies, budgets, prices and alert channels as YAML",
    },
    args: { json },
    run: async ({ args }) => {
      const file = await asOperator(io, (deed) => exportGovernance(deed, channelsOf(io)));
      if (args.json === true) printJson(io, file);
      else io.out(stringify(file, { lineWidth: 0 }).trimEnd());
    },
  });

/** `turnpike apply -f file`: makes it so. */
export const applyCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "apply", description: "Make it so as a file of turnpike export says" },
    args: {
      file: { type: "string", alias: "f", description: "The file" },
      "dry-run": { type: "boolean", description: "Only tell what would be done" },
      prune: { type: "boolean", description: "Take away what the file does not name" },
      json,
    },
    run: async ({ args }) => {
      const name = args.file ?? "";
      const { file, faultOf } = readGovernanceFile(textOf(io, name), name);
      const channels = channelsOf(io);
      const options = { dryRun: args["dry-run"] === true, prune: args.prune === true, channels };
      const plan = await asOperator(io, (deed) => applyGovernance(deed, file, options)).catch(
        (error: unknown) => {
          if (error instanceof FileFault) throw faultOf(error.path, error.message);
          throw error;
        },
      );
      if (args.json === true) printJson(io, plan.map(planEntry));
      else io.out(planText(plan, options.dryRun));
    },
  });

const channelsOf = (io: CliIo) =>
  channelsInFile({ master: loadMasterKey(dataFolder(io), io.env[MASTER_KEY_VARIABLE]) });

function textOf({ cwd }: CliIo, name: string): string {
  if (name === "") throw new CliError("name the file: -f governance.yaml");
  try {
    return readFileSync(resolve(cwd, name), "utf8");
  } catch (error) {
    throw new CliError(`${name} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

const planEntry = ({ path, action }: PlanEntry) => ({ path: path.join("."), action });

const MARKS = { create: "+", update: "~", delete: "-", missing: "?", unchanged: " " } as const;

function planText(plan: readonly PlanEntry[], dryRun: boolean): string {
  const changes = plan.filter(({ action }) => action !== "unchanged");
  const lines = changes.map(({ path, action }) => `${MARKS[action]} ${path.join(".")} (${action})`);
  const count = changes.filter(({ action }) => action !== "missing").length;
  const missing = changes.length - count;
  const unchanged = plan.length - changes.length;
  const verb = dryRun ? "would be made" : "made";
  return [
    ...lines,
    `${count} ${count === 1 ? "change" : "changes"} ${verb}, ${unchanged} as they are.`,
    ...(missing > 0 ? ["? keys are made by turnpike keys create, which shows them."] : []),
  ].join("\n");
}
