import { existsSync } from "node:fs";
import { join } from "node:path";

import { defineCommand } from "citty";

import { CliError, dataFolder, ownCommand, printJson, table, type CliIo } from "#cli/cli-io.ts";
import { withStore } from "#cli/with-store.ts";
import { createKey } from "#governance/create-key.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { listKeys, revokeKeys, type StoredKey } from "#store/keys.ts";

const json = { type: "boolean", description: "Answer in JSON" } as const;

/** `turnpike keys …`: the keys that clients of the gateway use. */
export const keysCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "keys", description: "Make, list and revoke keys" },
    subCommands: {
      create: defineCommand({
        meta: { name: "create", description: "Make a key; it is shown this once" },
        args: { name: { type: "string", description: "What it is for", default: "key" }, json },
        run: async ({ args }) => {
          const name = args.name.trim();
          if (name === "" || name.length > 200) {
            throw new CliError("--name needs a name of 1 to 200 characters.");
          }
          const { key, stored } = await makeKey(io, name);
          if (args.json === true) printJson(io, { id: stored.id, name: stored.name, key });
          else io.out(`${key}\n(${stored.name}, ${stored.id}; it is not shown again)`);
        },
      }),
      list: defineCommand({
        meta: { name: "list", description: "List keys, revoked ones too" },
        args: { json },
        run: async ({ args }) => {
          const keys = await withStore(io, ({ core }) => listKeys(core));
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
          const count = await withStore(io, ({ core }) => revokeKeys(core, args.key, io.now()));
          if (count === 0)
            throw new CliError(`there is no active key "${args.key}"; keys list shows all.`);
          if (args.json === true) printJson(io, { revoked: count });
          else io.out(`Revoked ${count === 1 ? "1 key" : `${count} keys`}.`);
        },
      }),
    },
  });

/** Makes a key under a name that no active key has: revoking by name must mean one key. */
export function makeKey(
  io: CliIo,
  name: string,
): Promise<{ readonly key: string; readonly stored: StoredKey }> {
  return withStore(io, async ({ core }) => {
    const keys = await listKeys(core);
    const used = new Set(keys.filter((key) => key.revokedAt === null).map((key) => key.name));
    let unused = name;
    for (let number = 2; used.has(unused); number += 1) unused = `${name} ${number}`;
    const home = dataFolder(io);
    const secret = io.env["TURNPIKE_MASTER_KEY"];
    if (keys.length > 0 && !secret && !existsSync(masterKeyFile(home)))
      throw new CliError(NO_MASTER);
    const { keyPepper } = loadMasterKey(home, secret);
    return createKey(core, keyPepper, { name: unused, now: io.now() });
  });
}

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
