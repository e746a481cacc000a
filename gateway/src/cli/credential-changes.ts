import { credentialChangeSchema } from "@turnpike/contract/api/credentials.ts";
import { defineCommand } from "citty";

import { credentialView } from "#byok/credential-view.ts";
import { changeCredential, rotateCredential } from "#byok/manage-credentials.ts";
import { CliError, printJson, type CliIo } from "#cli/cli-io.ts";
import { readSecret, withParts } from "#cli/credential-parts.ts";
import { verb, type Shown } from "#cli/verb.ts";
import type { CredentialFacts } from "#store/credentials.ts";

const credential = { type: "positional", required: true, description: "its id, cred_…" } as const;

const shown = (row: CredentialFacts, what: string): Shown => ({
  value: credentialView(row),
  text: `${row.id} (${row.name}) ${what}; in force within a second`,
});

/** `turnpike credentials rotate|disable|enable|order` */
export const credentialChanges = (io: CliIo) => ({
  rotate: rotateCommand(io),
  disable: switchVerb(io, true),
  enable: switchVerb(io, false),
  order: verb(io, {
    name: "order",
    description: "Set when one's turn is: lower positions come first",
    args: {
      credential,
      position: { type: "positional", required: true, description: "0, 1, …; equal ones share" },
    },
    run: async (args, deed) => {
      const position = readPosition(args.position);
      const row = await changeCredential(deed, args.credential, { position });
      return shown(row, `is at position ${position}`);
    },
  }),
});

const switchVerb = (io: CliIo, disabled: boolean) =>
  verb(io, {
    name: disabled ? "disable" : "enable",
    description: disabled ? "Take one out of force" : "Put one back in force",
    args: { credential },
    run: async (args, deed) =>
      shown(
        await changeCredential(deed, args.credential, { disabled }),
        disabled ? "is disabled" : "is enabled",
      ),
  });

function readPosition(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  const read = credentialChangeSchema.shape.position.safeParse(number);
  if (read.success && read.data !== undefined) return read.data;
  throw new CliError(`"${text}" is no position: a whole number from 0 to 1000000.`);
}

const rotateCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "rotate", description: "Give one another secret, read from standard input" },
    args: {
      credential,
      "base-url": { type: "string", description: "https://…, where it changes with the secret" },
      "secret-env": { type: "string", description: "Variable to read the secret from instead" },
      json: { type: "boolean", description: "Answer in JSON" },
    },
    run: async ({ args }) => {
      const secret = await readSecret(io, args["secret-env"]);
      const baseUrl = args["base-url"];
      const rotation = { secret, ...(baseUrl !== undefined && { base_url: baseUrl }) };
      const row = await withParts(io, (deed, parts) =>
        rotateCredential(deed, parts, { id: args.credential, ...rotation }),
      );
      const { value, text } = shown(row, `has another secret (…${row.hint})`);
      if (args.json === true) printJson(io, value);
      else io.out(text);
    },
  });
