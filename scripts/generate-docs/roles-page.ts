import { ROLES, type Role } from "../../contract/src/governance.ts";
import {
  can,
  ACTIONS,
  isPlatformAction,
  type Action,
} from "../../gateway/src/governance/permissions.ts";
import { code, generatedFrom, table } from "./markdown.ts";

const INTRODUCTION = `# Roles

${generatedFrom("gateway/src/governance/permissions.ts")}
What each role may do. A role is held in a whole organization, or in one team; then it counts for that
team and the projects of it. How people get roles, and how they sign in, is in [sign-in](sign-in.md).

- **yes**: in the organization, or in the team where the role is held.
- **org**: only where the role is held in the whole organization.
- **own**: only for what is one's own: keys, admin keys, records of one's own keys.

The names of the actions are the scopes of admin keys. Nobody gives a role, and nobody makes a key, that
may do more than they may do themselves.
`;

/** The page `docs/roles.md`. */
export function renderRolesPage(): string {
  const actions = ACTIONS.filter((action) => !isPlatformAction(action));
  const rows = actions.map((action) => [
    code(action),
    ...ROLES.map((role) => extent(role, action)),
  ]);
  const platform = ACTIONS.filter(isPlatformAction).map(code).join(", ");
  return [
    INTRODUCTION,
    table(["Action", ...ROLES], rows),
    `Only platform admins, and no admin key that is bound to an organization: ${platform}. Platform admins may do everything else, too.\n`,
  ].join("\n");
}

function extent(role: Role, action: Action): string {
  const isAllowed = (teamId: string | null, isOwn: boolean): boolean =>
    can(
      {
        kind: "person",
        userId: "me",
        name: "me",
        isPlatformAdmin: false,
        memberships: [{ organizationId: "org", teamId, role }],
        via: { kind: "session", id: "page" },
      },
      action,
      { organizationId: "org", teamId: "team", ...(isOwn && { ownerId: "me" }) },
    );
  if (isAllowed("team", false)) return "yes";
  if (isAllowed(null, false)) return "org";
  return isAllowed(null, true) ? "own" : "";
}
