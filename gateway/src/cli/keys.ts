import type { NewKeyBody } from "@turnpike/contract/api/keys.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { defineCommand } from "citty";

import { CliError, dataFolder, ownCommand, printJson, table, type CliIo } from "#cli/cli-io.ts";
import { asOperator } from "#cli/operator.ts";
import { readEnd } from "#cli/read-end.ts";
import { neededName, verb } from "#cli/verb.ts";
import { onlyOrganization, reachOfOption } from "#cli/within-organization.ts";
import { asOneChange } from "#governance/audit.ts";
import type { Deed } from "#governance/deed.ts";
import {
  createKeyFor,
  disableKey,
  enableKey,
  findKeyNamed,
  revokeKey,
  rotateKeyFor,
} from "#governance/keys.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { listKeys, type StoredKey } from "#store/keys.ts";

const json = { type: "boolean", description: "Answer in JSON" } as const;

/** `turnpike keys …`: the keys that clients of the gateway use. */
export const keysCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "keys", description: "Make, list and revoke keys" },
    subCommands: {
      create: createVerb(io),
      list: defineCommand({
        meta: { name: "list", description: "List keys, revoked ones too" },
        args: { organization: onlyOrganization, json },
        run: async ({ args }) => {
          const keys = await asOperator(io, (deed) => keysWithin(deed, args.organization));
          if (args.json === true) printJson(io, keys.map(withoutDigest));
          else io.out(listText(keys, ownCommand(io)));
        },
      }),
      revoke: defineCommand({
        meta: { name: "revoke", description: "Revoke a key; it stops working within a second" },
        args: {
          key: { type: "positional", required: true, description: "its id or its name" },
          json,
        },
        run: async ({ args }) => {
          const count = await asOperator(io, (deed) => revokeNamed(deed, args.key));
          if (count === 0)
            throw new CliError(`there is no active key "${args.key}"; keys list shows all.`);
          if (args.json === true) printJson(io, { revoked: count });
          else io.out(`Revoked ${count === 1 ? "1 key" : `${count} keys`}.`);
        },
      }),
      rotate: verb(io, {
        name: "rotate",
        description: "Give a key another secret, shown this once",
        args: {
          key: { type: "positional", required: true, description: "its id or its name" },
          overlap: {
            type: "string",
            description: "Seconds that the earlier one works on",
            default: "0",
          },
        },
        run: async (args, deed) => {
          const { id } = await findKeyNamed(deed, args.key);
          const overlapSeconds = Number(args.overlap);
          if (!Number.isInteger(overlapSeconds) || overlapSeconds < 0) {
            throw new CliError("--overlap is a whole number of seconds.");
          }
          const { key, row } = await rotateKeyFor(deed, pepperOf(io), { id, overlapSeconds });
          return { value: { id, name: row.name, key }, text: `${key}\n(${row.name}, ${id})` };
        },
      }),
      disable: switchVerb(io, "disable", disableKey),
      enable: switchVerb(io, "enable", enableKey),
    },
  });

async function keysWithin(
  deed: Deed,
  organization: string | undefined,
): Promise<readonly StoredKey[]> {
  const reach = await reachOfOption(deed, organization);
  const keys = await listKeys(deed.core);
  if (reach === "all") return keys;
  return keys.filter(({ organizationId }) => reach.organizationIds.includes(organizationId));
}

const createVerb = (io: CliIo) =>
  defineCommand({
    meta: { name: "create", description: "Make a key; it is shown this once" },
    args: {
      name: { type: "string", description: "What it is for", default: "key" },
      project: { type: "string", description: "Id of its project", default: "proj_default" },
      owner: { type: "string", description: "Id of a member or service account; none by default" },
      expires: { type: "string", description: "30d, 12h, or a date; never by default" },
      models: { type: "string", description: "Globs with commas; all by default" },
      json,
    },
    run: async ({ args }) => {
      const name = neededName(args.name);
      const expiresAt = readEnd(args.expires, io.now());
      const { key, stored } = await makeKey(io, name, {
        project_id: args.project,
        owner_id: args.owner ?? null,
        expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
        ...(args.models !== undefined && {
          settings: { models: args.models.split(",").map((model) => model.trim()) },
        }),
      });
      if (args.json === true) printJson(io, { id: stored.id, name: stored.name, key });
      else io.out(`${key}\n(${stored.name}, ${stored.id}; it is not shown again)`);
    },
  });

const switchVerb = (io: CliIo, name: "disable" | "enable", act: typeof disableKey) =>
  verb(io, {
    name,
    description: name === "disable" ? "Put a key out of force" : "Put a disabled key back in force",
    args: { key: { type: "positional", required: true, description: "its id or its name" } },
    run: async (args, deed) => {
      const { id } = await findKeyNamed(deed, args.key);
      const row = await act(deed, id);
      return { value: { id, name: row.name }, text: `${row.name} (${id}) is ${name}d.` };
    },
  });

/** Revokes every active key of an id or a name, as one change; tells how many. */
const revokeNamed = (deed: Deed, idOrName: string): Promise<number> =>
  asOneChange(deed, async (within) => {
    const keys = await listKeys(within.core);
    const named = keys.filter(
      ({ id, name, revokedAt, replacedBy }) =>
        revokedAt === null && replacedBy === null && (id === idOrName || name === idOrName),
    );
    for (const { id } of named) await revokeKey(within, id);
    return named.length;
  });

/** Makes a key under a name that no active key has: revoking by name must mean one key. */
export function makeKey(
  io: CliIo,
  name: string,
  more: Omit<NewKeyBody, "name"> = {
    project_id: "proj_default",
    owner_id: null,
    expires_at: null,
  },
): Promise<{
  readonly key: string;
  readonly stored: { readonly id: string; readonly name: string };
}> {
  return asOperator(io, async (deed) => {
    const keys = await listKeys(deed.core);
    const used = new Set(keys.filter((key) => key.revokedAt === null).map((key) => key.name));
    let unused = name;
    for (let number = 2; used.has(unused); number += 1) unused = `${name} ${number}`;
    if (
      keys.length > 0 &&
      !io.env["TURNPIKE_MASTER_KEY"] &&
      !existsSync(masterKeyFile(dataFolder(io)))
    )
      throw new CliError(NO_MASTER);
    const { key, row } = await createKeyFor(deed, pepperOf(io), { ...more, name: unused });
    return { key, stored: { id: row.id, name: row.name } };
  });
}

const pepperOf = (io: CliIo): Buffer =>
  loadMasterKey(dataFolder(io), io.env["TURNPIKE_MASTER_KEY"]).keyPepper;

const masterKeyFile = (home: string): string => join(home, "master.key");

/** Under another master key the new key would be one that the gateway does not know. */
const NO_MASTER =
  "the keys here were made under a TURNPIKE_MASTER_KEY that is not set now. Set it as the gateway has it.";

const withoutDigest = ({ digest: _digest, ...key }: StoredKey): Omit<StoredKey, "digest"> => key;

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 16).replace("T", " ");

function listText(keys: readonly StoredKey[], command: string): string {
  if (keys.length === 0) return `There are no keys yet. ${command} keys create makes one.`;
  const rows = keys.map(({ id, name, hint, createdAt, revokedAt }) => [
    id,
    name,
    hint,
    dayOf(createdAt),
    revokedAt === null ? "active" : `revoked ${dayOf(revokedAt)}`,
  ]);
  return table([["ID", "NAME", "KEY", "MADE (UTC)", "STATE"], ...rows]);
}
