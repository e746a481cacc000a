import { ROLES, type Role } from "@turnpike/contract/governance.ts";

import { CliError, dataFolder, table, type CliIo } from "#cli/cli-io.ts";
import { readEnd } from "#cli/read-end.ts";
import { needed, neededName, verb, verbs } from "#cli/verb.ts";
import { onlyOrganization, reachOfOption } from "#cli/within-organization.ts";
import { createAdminKey, listAdminKeys, revokeAdminKey } from "#governance/admin-keys.ts";
import type { Deed } from "#governance/deed.ts";
import { inviteMember } from "#governance/invitations.ts";
import { changeMemberRole, removeMember, setUserDisabled } from "#governance/members.ts";
import {
  adminKeyView,
  invitationView,
  membersPage,
  memberView,
  serviceAccountsPage,
  serviceAccountView,
} from "#governance/people-views.ts";
import { ACTIONS, isPlatformAction, type Scope } from "#governance/permissions.ts";
import { createServiceAccount } from "#governance/service-accounts.ts";
import { loadMasterKey } from "#privacy/master-key.ts";

const LIMIT = 10_000;
const organization = {
  type: "string",
  description: "Id of the organization",
  default: "org_default",
} as const;
const team = { type: "string", description: "Id of a team; none: the whole organization" } as const;

const pepperOf = (io: CliIo): Buffer =>
  loadMasterKey(dataFolder(io), io.env["TURNPIKE_MASTER_KEY"]).keyPepper;

function readRole(role: string | undefined): Role {
  const found = ROLES.find((known) => known === role);
  if (found === undefined) throw new CliError(`--role must be one of ${ROLES.join(", ")}.`);
  return found;
}

const role = { type: "string", description: ROLES.join(", ") } as const;
const member = { type: "positional", required: true, description: "id of the membership" } as const;

/** `turnpike members …` */
export const membersCommand = (io: CliIo) =>
  verbs("members", "List, invite, change and remove members", {
    list: verb(io, {
      name: "list",
      description: "List members",
      args: { organization: onlyOrganization },
      run: async (args, deed) => {
        const reach = await reachOfOption(deed, args.organization);
        const found = await membersPage(deed, { reach, limit: LIMIT });
        const cells = found.map((row) => [
          row.id,
          row.email ?? row.name,
          row.role,
          row.organization_id,
          row.team_id ?? "–",
        ]);
        const heading = ["ID", "WHO", "ROLE", "ORGANIZATION", "TEAM"];
        const text = found.length === 0 ? "There are none." : table([heading, ...cells]);
        return { value: found.map(memberView), text };
      },
    }),
    invite: inviteVerb(io),
    role: verb(io, {
      name: "role",
      description: "Give a member another role",
      args: { member, role },
      run: async (args, deed) => {
        const change = { membershipId: args.member, role: readRole(args.role) };
        await changeMemberRole(deed, change);
        return { value: change, text: `${args.member} is ${change.role} now.` };
      },
    }),
    remove: verb(io, {
      name: "remove",
      description: "Take a member out; their sessions end",
      args: { member },
      run: async (args, deed) => {
        await removeMember(deed, args.member);
        return { value: { id: args.member, removed: true }, text: `Removed ${args.member}.` };
      },
    }),
    disable: verb(io, {
      name: "disable",
      description: "Disable a person wherever they belong",
      args: { user: { type: "positional", required: true, description: "id of the person" } },
      run: async (args, deed) => {
        await setUserDisabled(deed, { userId: args.user, isDisabled: true });
        return { value: { id: args.user, disabled: true }, text: `Disabled ${args.user}.` };
      },
    }),
  });

const inviteVerb = (io: CliIo) =>
  verb(io, {
    name: "invite",
    description: "Invite somebody; the token of the link is shown this once",
    args: { email: { type: "string", description: "Address" }, role, organization, team },
    run: async (args, deed) => {
      const { token, stored } = await inviteMember(deed, pepperOf(io), {
        organizationId: args.organization,
        teamId: args.team ?? null,
        email: needed("email", args.email),
        role: readRole(args.role),
      });
      return {
        value: { ...invitationView(stored, deed.now), token },
        text: `Send them to /invitation?token=${token} of the gateway, within seven days.`,
      };
    },
  });

/** `turnpike service-accounts …` */
export const serviceAccountsCommand = (io: CliIo) =>
  verbs("service-accounts", "Make and list users that are no persons", {
    list: verb(io, {
      name: "list",
      description: "List service accounts",
      args: { organization: onlyOrganization },
      run: async (args, deed) => {
        const reach = await reachOfOption(deed, args.organization);
        const found = await serviceAccountsPage(deed, { reach, limit: LIMIT });
        const cells = found.map((row) => [row.id, row.name, row.organization_id ?? "–"]);
        const heading = ["ID", "NAME", "ORGANIZATION"];
        const text = found.length === 0 ? "There are none." : table([heading, ...cells]);
        return { value: found.map(serviceAccountView), text };
      },
    }),
    create: verb(io, {
      name: "create",
      description: "Make a service account",
      args: { name: { type: "string", description: "Its name" }, role, organization, team },
      run: async (args, deed) => {
        const row = await createServiceAccount(deed, {
          organizationId: args.organization,
          teamId: args.team ?? null,
          name: neededName(args.name),
          role: readRole(args.role),
        });
        return { value: serviceAccountView(row), text: `${row.id} (${row.name})` };
      },
    }),
  });

/** Names of scopes; `all`: whatever its owner may within an organization. */
function readScopes(text: string): ReadonlySet<Scope> {
  if (text === "all") return new Set(ACTIONS.filter((action) => !isPlatformAction(action)));
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !ACTIONS.some((action) => action === name));
  if (unknown !== undefined) {
    throw new CliError(`"${unknown}" is no scope. Scopes: all, or of ${ACTIONS.join(", ")}.`);
  }
  return new Set(ACTIONS.filter((action) => names.includes(action)));
}

const keysOf = (deed: Deed, organizationId: string | undefined) =>
  listAdminKeys(deed, organizationId ?? null);

/** `turnpike admin-keys …` */
export const adminKeysCommand = (io: CliIo) =>
  verbs("admin-keys", "Make, list and revoke keys of the admin API", {
    list: verb(io, {
      name: "list",
      description: "List admin keys",
      args: { organization },
      run: async (args, deed) => {
        const found = await keysOf(deed, args.organization);
        const cells = found.map((row) => [
          row.id,
          row.name,
          row.hint,
          row.user_id,
          row.revoked_at === null ? "active" : "revoked",
        ]);
        const heading = ["ID", "NAME", "KEY", "OWNER", "STATE"];
        const text = found.length === 0 ? "There are none." : table([heading, ...cells]);
        return { value: found.map(adminKeyView), text };
      },
    }),
    create: verb(io, {
      name: "create",
      description: "Make an admin key for a service account; it is shown this once",
      args: {
        name: { type: "string", description: "What it is for" },
        owner: { type: "string", description: "Id of the service account (or person)" },
        scopes: { type: "string", description: "all, or names with commas: keys.read,keys.write" },
        expires: { type: "string", description: "30d, 12h, or a date; never by default" },
        organization,
      },
      run: async (args, deed) => {
        const { key, stored } = await createAdminKey(deed, pepperOf(io), {
          name: neededName(args.name),
          organizationId: args.organization,
          ownerId: needed("owner", args.owner),
          scopes: readScopes(needed("scopes", args.scopes)),
          expiresAt: readEnd(args.expires, deed.now),
        });
        return {
          value: { ...adminKeyView(stored), key },
          text: `${key}\n(${stored.name}, ${stored.id}; it is not shown again)`,
        };
      },
    }),
    revoke: verb(io, {
      name: "revoke",
      description: "Revoke an admin key",
      args: { key: { type: "positional", required: true, description: "its id" } },
      run: async (args, deed) => {
        await revokeAdminKey(deed, args.key);
        return { value: { id: args.key, revoked: true }, text: `Revoked ${args.key}.` };
      },
    }),
  });
