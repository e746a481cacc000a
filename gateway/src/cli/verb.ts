import { nameSchema } from "@turnpike/contract/governance.ts";
import { defineCommand, type ArgsDef, type CommandDef, type ParsedArgs } from "citty";

import { CliError, printJson, type CliIo } from "#cli/cli-io.ts";
import { asOperator } from "#cli/operator.ts";
import type { Deed } from "#governance/deed.ts";
import { issueText } from "#lib/issue-text.ts";
import type { Store } from "#store/store.ts";

/** What a verb found or did: `value` for programs, `text` for people. */
export interface Shown {
  readonly value: unknown;
  readonly text: string;
}

interface Verb<Args extends ArgsDef> {
  readonly name: string;
  readonly description: string;
  readonly args?: Args;
  readonly run: (args: ParsedArgs<Args>, deed: Deed, store: Store) => Promise<Shown>;
}

/** A command that works straight in the store, and answers in JSON where it is asked to. */
export const verb = <Args extends ArgsDef>(
  io: CliIo,
  { name, description, args, run }: Verb<Args>,
): CommandDef =>
  defineCommand({
    meta: { name, description },
    args: { ...args, json: { type: "boolean", description: "Answer in JSON" } },
    run: async (context) => {
      const given = context.args as unknown as ParsedArgs<Args>;
      const shown = await asOperator(io, (deed, store) => run(given, deed, store));
      if ((context.args as { json?: boolean }).json === true) printJson(io, shown.value);
      else io.out(shown.text);
    },
    // A command of any arguments: citty checks those at run time.
  }) as unknown as CommandDef;

/** A command whose verbs are commands of their own. */
export const verbs = (
  name: string,
  description: string,
  subCommands: Readonly<Record<string, unknown>>,
): CommandDef =>
  defineCommand({
    meta: { name, description },
    subCommands: subCommands as Record<string, CommandDef>,
  });

/** The value of an option that has to be there. */
export function needed(option: string, value: unknown): string {
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  throw new CliError(`--${option} is needed.`);
}

/** A name as the admin API takes it, of `--name`. */
export function neededName(value: unknown): string {
  const { data, error } = nameSchema.safeParse(needed("name", value));
  if (data !== undefined) return data;
  const [issue] = error.issues;
  throw new CliError(`--name ${issue === undefined ? "must be a name" : issueText(issue)}.`);
}
