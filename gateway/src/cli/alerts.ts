import { alertChannelSchema, type AlertChannelDocument } from "@turnpike/contract/alerts.ts";

import {
  channelsOf,
  createChannel,
  deliveriesOf,
  removeChannel,
  rotateSecret,
  testChannel,
} from "#alerts/manage-channels.ts";
import { openPost } from "#alerts/open-post.ts";
import { readConfig } from "#cli/config-location.ts";
import { CliError, dataFolder, table, type CliIo } from "#cli/cli-io.ts";
import { needed, neededName, verb, verbs, type Shown } from "#cli/verb.ts";
import { getOrganization } from "#governance/organizations.ts";
import { issueText } from "#lib/issue-text.ts";
import type { JsonObject } from "#lib/json.ts";
import { loadMasterKey, MASTER_KEY_VARIABLE } from "#privacy/master-key.ts";

const organization = {
  type: "string",
  description: "Id of the organization",
  default: "org_default",
} as const;
const channel = { type: "positional", required: true, description: "its id, alc_…" } as const;

const cell = (value: unknown): string => {
  if (Array.isArray(value)) return value.join(" ");
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
};

function rows(heading: readonly string[], views: readonly JsonObject[]): string {
  if (views.length === 0) return "There are none.";
  const names = heading.map((name) => name.toLowerCase().replaceAll(" ", "_"));
  return table([heading, ...views.map((view) => names.map((name) => cell(view[name])))]);
}

/** With the secret where it was just made: it is shown this once. */
const made = (view: JsonObject, what: string): Shown => ({
  value: view,
  text: [
    `${cell(view["id"])} (${cell(view["name"])}) ${what}.`,
    ...(view["secret"] === undefined
      ? []
      : [`Its webhooks are signed with ${cell(view["secret"])}, shown this once.`]),
  ].join("\n"),
});

/** `turnpike alerts …` */
export const alertsCommand = (io: CliIo) =>
  verbs("alerts", "Who is told of what happens: webhooks, chat and mail", {
    list: verb(io, {
      name: "list",
      description: "List an organization's alert channels",
      args: { organization },
      run: async (args, deed) => {
        const { id } = await getOrganization(deed, args.organization);
        const value = await channelsOf(deed, id);
        return { value, text: rows(["ID", "KIND", "NAME", "URL", "TO", "EVENTS"], value) };
      },
    }),
    add: addVerb(io),
    rotate: verb(io, {
      name: "rotate",
      description: "Make a new signing secret; the old one signs along until the next rotation",
      args: { channel },
      run: async (args, deed) =>
        made(await rotateSecret(deed, sealing(io), args.channel), "has a new secret"),
    }),
    deliveries: verb(io, {
      name: "deliveries",
      description: "What was sent, what waits and what was given up: the latest hundred",
      args: { channel },
      run: async (args, deed) => {
        const value = await deliveriesOf(deed, args.channel);
        const heading = ["ID", "KIND", "STATE", "TRIES", "CREATED AT", "FAULT"];
        return { value, text: rows(heading, value) };
      },
    }),
    test: testVerb(io),
    remove: verb(io, {
      name: "remove",
      description: "Remove an alert channel",
      args: { channel },
      run: async (args, deed) => {
        await removeChannel(deed, args.channel);
        return { value: { id: args.channel, deleted: true }, text: `Removed ${args.channel}.` };
      },
    }),
  });

const testVerb = (io: CliIo) =>
  verb(io, {
    name: "test",
    description: "Send a test message now, as alerts are sent; fails where it is not taken",
    args: {
      channel,
      config: { type: "string", description: "The settings; turnpike.yaml unless given" },
    },
    run: async (args, deed) => {
      const { post, close } = openPost((await readConfig(io, args.config)) ?? {}, io.now);
      const parts = { core: deed.core, ...sealing(io), post, now: io.now };
      try {
        const value = await testChannel(deed, parts, args.channel);
        if (value["delivered"] === true) return { value, text: `${args.channel} took it.` };
        throw new CliError(`${args.channel} did not take it: ${cell(value["fault"])}.`);
      } finally {
        await close();
      }
    },
  });

const sealing = (io: CliIo) => ({
  master: loadMasterKey(dataFolder(io), io.env[MASTER_KEY_VARIABLE]),
});

const addVerb = (io: CliIo) =>
  verb(io, {
    name: "add",
    description: "Add one; a URL is read from standard input, for it may be a secret",
    args: {
      organization,
      kind: { type: "string", description: "webhook, slack or email", default: "webhook" },
      name: { type: "string", description: "What it is for" },
      to: { type: "string", description: "Mail addresses, separated by commas" },
      events: { type: "string", description: "Kinds of events, separated by commas; else all" },
      "url-env": { type: "string", description: "Variable to read the URL from instead" },
    },
    run: async (args, deed) => {
      const { id: organizationId } = await getOrganization(deed, args.organization);
      const document = readChannel({
        kind: args.kind,
        name: neededName(args.name),
        ...(args.kind === "email"
          ? { to: listOf(needed("to", args.to)) }
          : { url: await readUrl(io, args["url-env"]) }),
        ...(args.events !== undefined && { events: listOf(args.events) }),
      });
      const view = await createChannel(deed, sealing(io), { organizationId, document });
      return made(view, "is told from now on");
    },
  });

const listOf = (text: string): readonly string[] => text.split(",").map((part) => part.trim());

async function readUrl(io: CliIo, variable: string | undefined): Promise<string> {
  const url = variable === undefined ? await io.readInput?.() : io.env[variable];
  const trimmed = url?.trim() ?? "";
  if (trimmed !== "") return trimmed;
  throw new CliError(
    variable === undefined
      ? "pipe the channel's URL to this command, or name a variable with --url-env."
      : `${variable} is not set.`,
  );
}

function readChannel(given: unknown): AlertChannelDocument {
  const read = alertChannelSchema.safeParse(given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  if (issue === undefined) throw new CliError("that is no alert channel.");
  throw new CliError(`--${String(issue.path[0])} ${issueText(issue)}.`);
}
