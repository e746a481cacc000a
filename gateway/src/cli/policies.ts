import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { LEVELS, policyDocumentSchema, type Level } from "@turnpike/contract/governance.ts";
import { parse, stringify } from "yaml";

import { CliError, table, type CliIo } from "#cli/cli-io.ts";
import { verb, verbs } from "#cli/verb.ts";
import { openDirectory } from "#governance/directory.ts";
import { explainPolicyAt } from "#governance/explain-policy.ts";
import { getKey } from "#governance/keys.ts";
import {
  deletePolicy,
  getPolicy,
  policyView,
  putPolicy,
  type Target,
} from "#governance/policies.ts";
import { issueText } from "#lib/issue-text.ts";

const target = {
  type: "positional",
  required: true,
  description: "id of an organization, team, project or key",
} as const;

const PREFIXES: Readonly<Record<string, Level>> = {
  org: "organization",
  team: "team",
  proj: "project",
  key: "key",
};

/** The level follows from the id. */
export function readTarget(id: string): Target {
  const level = PREFIXES[id.split("_", 1)[0] ?? ""];
  if (level !== undefined) return { level, targetId: id };
  throw new CliError(
    `"${id}" is no id of ${LEVELS.join(", ")}: these begin with org_, team_, proj_, key_.`,
  );
}

function readDocument(io: CliIo, file: string | undefined) {
  if (file === undefined) throw new CliError("name the file: -f policy.yaml");
  let value: unknown;
  try {
    value = parse(readFileSync(resolve(io.cwd, file), "utf8")) as unknown;
  } catch (error) {
    throw new CliError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const result = policyDocumentSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new CliError(
    issue === undefined ? file : `${file}: ${issue.path.join(".")} ${issueText(issue)}.`,
  );
}

/** `turnpike policies …` */
export const policiesCommand = (io: CliIo) =>
  verbs("policies", "Show, set and explain policies", {
    get: verb(io, {
      name: "get",
      description: "Show the policy of a place as YAML",
      args: { target },
      run: async (args, deed) => {
        const view = policyView(await getPolicy(deed, readTarget(args.target)));
        return { value: view, text: stringify(view.document).trimEnd() };
      },
    }),
    set: verb(io, {
      name: "set",
      description: "Attach the policy of a file, in place of the one that is there",
      args: { target, file: { type: "string", alias: "f", description: "YAML or JSON" } },
      run: async (args, deed) => {
        const document = readDocument(io, args.file);
        const row = await putPolicy(deed, {
          ...readTarget(args.target),
          document,
          needsVersion: false,
        });
        return { value: policyView(row), text: `${row.id} is attached to ${args.target}.` };
      },
    }),
    remove: verb(io, {
      name: "remove",
      description: "Take the policy of a place off",
      args: { target },
      run: async (args, deed) => {
        const { id } = await deletePolicy(deed, readTarget(args.target));
        return { value: { id, deleted: true }, text: `${id} is taken off.` };
      },
    }),
    explain: verb(io, {
      name: "explain",
      description: "Tell what holds for a key, and which level says so",
      args: { key: { type: "positional", required: true, description: "its id" } },
      run: async (args, deed) => {
        await getKey(deed, args.key);
        const directory = await openDirectory(deed.core);
        directory.close();
        const parts = explainPolicyAt({ level: "key", id: args.key }, directory.tables) ?? [];
        const cells = parts.flatMap(({ part, effective, from }) => [
          [part, JSON.stringify(effective), ""],
          ...from.map(({ level, source, value }) => [
            "",
            JSON.stringify(value),
            `${level}, ${source}`,
          ]),
        ]);
        const text =
          cells.length === 0
            ? "No policy bounds it."
            : table([["PART", "HOLDS", "FROM"], ...cells]);
        return { value: parts, text };
      },
    }),
  });
