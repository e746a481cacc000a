import { parseArgs, renderUsage, runCommand, type ArgsDef, type CommandDef } from "citty";

import { GatewayError } from "#canonical/failure.ts";
import { buildNearNames } from "#catalog/near-names.ts";
import { CliError, systemIo, type CliIo } from "#cli/cli-io.ts";
import { VERSION } from "#lib/version.ts";

type Command = CommandDef;

/** Runs the command line of this process. */
export async function main(): Promise<void> {
  process.exitCode = await runCli(process.argv.slice(2), systemIo());
}

/** Runs one command; gives the exit code. Never throws. */
export async function runCli(rawArgs: readonly string[], io: CliIo): Promise<number> {
  try {
    return await run(rawArgs, io);
  } catch (error) {
    io.err(`turnpike: ${wordsOf(error)}`);
    if (io.env["TURNPIKE_DEBUG"] !== undefined && error instanceof Error) io.err(error.stack ?? "");
    return 1;
  }
}

async function run(rawArgs: readonly string[], io: CliIo): Promise<number> {
  const [first] = rawArgs;
  if (first === "--version" || first === "-v" || first === "version") {
    io.out(VERSION);
    return 0;
  }
  if (first === "help") return run([...rawArgs.slice(1), "--help"], io);
  const root = rootCommand(io);
  const wantsHelp = rawArgs.some((arg) => arg === "--help" || arg === "-h");
  // Without a command it is the gateway that is meant: `npm start`, `turnpike --port 9000`.
  const implied = first === undefined || (first.startsWith("-") && !wantsHelp);
  const args = implied ? ["serve", ...rawArgs] : [...rawArgs];
  const { command, parent, rest } = await findCommand(root, args);
  if (wantsHelp) {
    io.out(await renderUsage(command, parent));
    return 0;
  }
  checkArguments(command, rest);
  const { result } = await runCommand(command, { rawArgs: [...rest] });
  return typeof result === "number" ? result : 0;
}

/** Commands are loaded when they are asked for: the gateway must not carry what the others need. */
function rootCommand(io: CliIo): Command {
  const meta = {
    name: "turnpike",
    version: VERSION,
    description: "One gate in front of every AI model",
  };
  return {
    meta,
    subCommands: {
      serve: async () => (await import("#cli/serve.ts")).serveCommand(io),
      init: async () => (await import("#cli/init.ts")).initCommand(io),
      "setup-token": async () => (await import("#cli/setup-token.ts")).setupTokenCommand(io),
      keys: async () => (await import("#cli/keys.ts")).keysCommand(io),
      credentials: async () => (await import("#cli/credentials.ts")).credentialsCommand(io),
      models: async () => (await import("#cli/models.ts")).modelsCommand(io),
      usage: async () => (await import("#cli/usage.ts")).usageCommand(io),
      log: async () => (await import("#cli/log.ts")).logCommand(io),
      trace: async () => (await import("#cli/trace.ts")).traceCommand(io),
      reports: async () => (await import("#cli/reports.ts")).reportsCommand(io),
      route: async () => (await import("#cli/route.ts")).routeCommand(io),
      replay: async () => (await import("#cli/replay.ts")).replayCommand(io),
      connect: async () => (await import("#cli/connect/connect.ts")).connectCommand(io),
      env: async () => (await import("#cli/connect/env.ts")).envCommand(io),
      privacy: async () => (await import("#cli/privacy.ts")).privacyCommand(io),
      content: async () => (await import("#cli/content.ts")).contentCommand(io),
      "master-key": async () => (await import("#cli/master-key.ts")).masterKeyCommand(io),
      backup: async () => (await import("#cli/backup.ts")).backupCommand(io),
      restore: async () => (await import("#cli/restore.ts")).restoreCommand(io),
      migrate: async () => (await import("#cli/migrate.ts")).migrateCommand(io),
      organizations: async () => (await import("#cli/tenancy.ts")).organizationsCommand(io),
      teams: async () => (await import("#cli/tenancy.ts")).teamsCommand(io),
      projects: async () => (await import("#cli/tenancy.ts")).projectsCommand(io),
      users: async () => (await import("#cli/users.ts")).usersCommand(io),
      members: async () => (await import("#cli/people.ts")).membersCommand(io),
      "service-accounts": async () => (await import("#cli/people.ts")).serviceAccountsCommand(io),
      "admin-keys": async () => (await import("#cli/people.ts")).adminKeysCommand(io),
      policies: async () => (await import("#cli/policies.ts")).policiesCommand(io),
      budgets: async () => (await import("#cli/budgets.ts")).budgetsCommand(io),
      credits: async () => (await import("#cli/credits.ts")).creditsCommand(io),
      payments: async () => (await import("#cli/payments.ts")).paymentsCommand(io),
      alerts: async () => (await import("#cli/alerts.ts")).alertsCommand(io),
      audit: async () => (await import("#cli/audit.ts")).auditCommand(io),
      export: async () => (await import("#cli/apply.ts")).exportCommand(io),
      apply: async () => (await import("#cli/apply.ts")).applyCommand(io),
      doctor: async () => (await import("#cli/doctor/doctor.ts")).doctorCommand(io),
    },
  };
}

interface Found {
  readonly command: Command;
  readonly parent?: Command;
  readonly rest: readonly string[];
}

/** Follows the names of commands at the start of the arguments. */
async function findCommand(root: Command, args: readonly string[]): Promise<Found> {
  let found: Found = { command: root, rest: args };
  for (;;) {
    const commands = found.command.subCommands as
      | Record<string, Command | (() => Promise<Command>)>
      | undefined;
    const [name, ...rest] = found.rest;
    if (commands === undefined) return found;
    if (name === undefined || name.startsWith("-")) return orUsage(found, commands, args);
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) throw unknown("command", name, Object.keys(commands));
    const loaded = typeof command === "function" ? await command() : command;
    found = { command: loaded, parent: found.command, rest };
  }
}

/** `turnpike keys` alone is a question; `turnpike keys --help` is answered by the caller. */
function orUsage(found: Found, commands: object, args: readonly string[]): Found {
  if (args.includes("--help") || args.includes("-h")) return found;
  throw new CliError(`say which: ${Object.keys(commands).join(", ")}. --help tells more.`);
}

function unknown(what: string, name: string, known: readonly string[]): CliError {
  const near = buildNearNames(known)(name, 2);
  const hint =
    near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `Known: ${known.join(", ")}.`;
  return new CliError(`there is no ${what} "${name}". ${hint}`);
}

/** citty takes any option and any number of names; a typing mistake must not pass for a default. */
function checkArguments(command: Command, rest: readonly string[]): void {
  const definitions = (command.args ?? {}) as ArgsDef;
  const options = Object.entries(definitions).filter(([, { type }]) => type !== "positional");
  const known = options.flatMap(([name, definition]) => [
    `--${name}`,
    ...("alias" in definition ? [definition.alias ?? []].flat() : []).map((short) => `-${short}`),
  ]);
  for (const arg of rest) {
    const name = arg.split("=", 1)[0] ?? "";
    if (arg.startsWith("-") && !known.includes(name)) throw unknown("option", name, known);
  }
  const { _: names } = parseArgs([...rest], optionalPositionals(definitions));
  const positionals = Object.keys(definitions).length - options.length;
  checkMissing(definitions, names.length);
  if (names.length > positionals) throw new CliError(`"${names[positionals]}" is one too many.`);
  for (const [name, { type }] of options) {
    const at = rest.indexOf(`--${name}`);
    if (type !== "boolean" && at !== -1 && (rest[at + 1] ?? "-").startsWith("-")) {
      throw new CliError(`--${name} needs a value.`);
    }
  }
}

/** citty's own sentence names the argument only, not what can stand there. */
function checkMissing(definitions: ArgsDef, given: number): void {
  const positionals = Object.entries(definitions).filter(([, { type }]) => type === "positional");
  const missing = positionals.slice(given).find(([, { required }]) => required === true);
  if (missing === undefined) return;
  const [name, { description }] = missing;
  throw new CliError(`say which ${name}: ${String(description)}.`);
}

const optionalPositionals = (definitions: ArgsDef): ArgsDef =>
  Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      { ...definition, required: false },
    ]),
  );

function wordsOf(error: unknown): string {
  if (error instanceof GatewayError) {
    const { field, message } = error.failure;
    return field === undefined ? message : `${field}: ${message}`;
  }
  return error instanceof Error ? error.message : String(error);
}
