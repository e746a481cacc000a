import { newCredentialSchema, type NewCredential } from "@turnpike/contract/api/credentials.ts";
import { defineCommand } from "citty";

import { credentialView } from "#byok/credential-view.ts";
import {
  archiveCredential,
  createCredential,
  getCredential,
  listCredentialsFor,
  testCredential,
} from "#byok/manage-credentials.ts";
import { CliError, printJson, table, type CliIo } from "#cli/cli-io.ts";
import { credentialChanges } from "#cli/credential-changes.ts";
import { deedOf, readSecret, withParts } from "#cli/credential-parts.ts";
import { withStore } from "#cli/with-store.ts";
import { onlyOrganization, reachOfOption } from "#cli/within-organization.ts";
import type { Deed } from "#governance/deed.ts";
import type { CredentialFacts } from "#store/credentials.ts";

const json = { type: "boolean", description: "Answer in JSON" } as const;
const credential = {
  type: "positional",
  required: true,
  description: "its id, cred_…",
} as const;

/** `turnpike credentials …`: provider keys that organizations brought along. */
export const credentialsCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "credentials", description: "Organizations' own provider keys (BYOK)" },
    subCommands: {
      add: addCommand(io),
      ...credentialChanges(io),
      list: defineCommand({
        meta: { name: "list", description: "List them, without their secrets" },
        args: { organization: onlyOrganization, json },
        run: async ({ args }) => {
          const rows = await withStore(io, ({ core }) =>
            listWithin(deedOf(io, core), args.organization),
          );
          if (args.json === true)
            printJson(
              io,
              rows.map((row) => credentialView(row)),
            );
          else io.out(listText(rows));
        },
      }),
      test: defineCommand({
        meta: { name: "test", description: "Ask the provider whether it takes the key" },
        args: { credential, json },
        run: async ({ args }) => {
          const check = await withParts(io, (deed, parts) =>
            testCredential(deed, parts, args.credential),
          );
          if (args.json === true) printJson(io, check);
          else io.out(`${check.outcome}: ${check.detail}`);
          return check.outcome === "valid" ? 0 : 1;
        },
      }),
      remove: defineCommand({
        meta: { name: "remove", description: "Remove one for good; its secret is destroyed" },
        args: { credential, json },
        run: async ({ args }) => {
          await withParts(io, async (deed, parts) => {
            await getCredential(deed, args.credential);
            await archiveCredential(deed, parts, { id: args.credential });
          });
          if (args.json === true) printJson(io, { id: args.credential, deleted: true });
          else io.out(`Removed ${args.credential}.`);
        },
      }),
    },
  });

const addCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "add", description: "Add one; its secret is read from standard input" },
    args: {
      provider: { type: "string", required: true, description: "Id of the provider" },
      name: { type: "string", description: "What it is for", default: "own key" },
      organization: { type: "string", description: "Id, org_…", default: "org_default" },
      project: { type: "string", description: "Id, proj_…; else the whole organization's" },
      "base-url": { type: "string", description: "https://…, where it is not the provider's own" },
      variables: { type: "string", description: "region=eu-west-1,resource=…" },
      "secret-env": { type: "string", description: "Variable to read the secret from instead" },
      json,
    },
    run: async ({ args }) => {
      const given = newCredential({
        organization_id: args.organization,
        project_id: args.project ?? null,
        provider: args.provider,
        name: args.name,
        secret: await readSecret(io, args["secret-env"]),
        base_url: args["base-url"] ?? null,
        variables: variablesOf(args.variables ?? ""),
      });
      const row = await withParts(io, (deed, parts) => createCredential(deed, parts, given));
      if (args.json === true) printJson(io, credentialView(row));
      else io.out(`${row.id} (${row.provider}, …${row.hint}); in force within a second`);
    },
  });

/** As the admin API reads it. */
function newCredential(given: unknown): NewCredential {
  const read = newCredentialSchema.safeParse(given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new CliError(`${issue?.path.join(".")}: ${issue?.message}`);
}

function variablesOf(text: string): Record<string, string> {
  const pairs = text.split(",").filter((pair) => pair.trim() !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new CliError(`--variables needs name=value, not "${pair}".`);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}

const MAX_LISTED = 1_000;

const listWithin = async (
  deed: Deed,
  organization: string | undefined,
): Promise<readonly CredentialFacts[]> =>
  listCredentialsFor(deed, await reachOfOption(deed, organization), {
    archived: false,
    limit: MAX_LISTED,
  });

function listText(rows: readonly CredentialFacts[]): string {
  if (rows.length === 0) return "No organization has brought a provider key.";
  const lines = rows
    .map((row) => credentialView(row))
    .map((view) => [
      view.id,
      view.provider,
      view.name,
      view.hint === "" ? "" : `…${view.hint}`,
      view.project_id ?? view.organization_id,
      view.state,
      view.last_test?.outcome ?? "not tested",
    ]);
  return table([["ID", "PROVIDER", "NAME", "KEY", "OF", "STATE", "TEST"], ...lines]);
}
