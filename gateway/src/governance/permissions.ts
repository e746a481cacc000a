import type { Role } from "@turnpike/contract/governance.ts";

import type { Actor } from "#governance/actor.ts";

interface Rule {
  /** Roles that suffice at the organization. */
  readonly organization: readonly Role[];
  /** Roles at a team that suffice for what lies in that team. */
  readonly team?: readonly Role[];
  /** Roles, at either level, that suffice for what the actor owns. */
  readonly own?: readonly Role[];
  /** Being in any of its teams suffices at the organization. */
  readonly anyMember?: true;
}

const ALL = ["owner", "admin", "developer", "viewer", "billing"] as const;
const HEADS = ["owner", "admin"] as const;
const MAKERS = ["owner", "admin", "developer"] as const;
const READERS = ["owner", "admin", "developer", "viewer"] as const;
const READ_ALL = ["owner", "admin", "viewer"] as const;
const PAYERS = ["owner", "admin", "billing"] as const;

/** Only platform admins, wherever. */
const PLATFORM = { organization: [] } as const;

/**
 * Which role may do what. Read a line as: who may, at the organization; who may within a team; who
 * may with what is their own. Platform admins may everything; scopes of admin keys only narrow.
 */
export const PERMISSIONS = {
  "organizations.read": { organization: ALL, anyMember: true },
  "organizations.update": { organization: HEADS },
  "organizations.delete": { organization: ["owner"] },
  "teams.read": { organization: ALL, team: ALL },
  "teams.write": { organization: HEADS },
  "projects.read": { organization: ALL, team: ALL },
  "projects.write": { organization: HEADS, team: HEADS },
  "members.read": { organization: ALL, team: ALL },
  "members.write": { organization: HEADS, team: HEADS },
  "members.recover": { organization: ["owner"] },
  "invitations.read": { organization: HEADS, team: HEADS },
  "invitations.write": { organization: HEADS, team: HEADS },
  "service-accounts.read": { organization: READERS, team: READERS },
  "service-accounts.write": { organization: HEADS, team: HEADS },
  "keys.read": { organization: READ_ALL, team: READ_ALL, own: READERS },
  "keys.write": { organization: HEADS, team: HEADS, own: MAKERS },
  "admin-keys.read": { organization: HEADS, own: ALL },
  "admin-keys.write": { organization: HEADS, own: ALL },
  "policies.read": { organization: READERS, team: READERS },
  "policies.write": { organization: HEADS, team: HEADS },
  "budgets.read": { organization: ALL, team: ALL },
  "budgets.write": { organization: PAYERS, team: PAYERS },
  "credentials.read": { organization: HEADS, team: HEADS },
  "credentials.write": { organization: HEADS, team: HEADS },
  "records.read": { organization: READERS, team: READERS },
  "content.read": { organization: HEADS, team: HEADS, own: MAKERS },
  "reports.read": { organization: ALL, team: ALL },
  "audit.read": { organization: HEADS },
  "credits.read": { organization: PAYERS },
  "credits.buy": { organization: PAYERS },
  "invoices.read": { organization: PAYERS },
  "payments.read": { organization: PAYERS },
  "payments.reconcile": { organization: PAYERS },
  "alerts.read": { organization: ALL, team: ALL },
  "alerts.write": { organization: HEADS, team: HEADS },
  "privacy.configure": { organization: HEADS },
  "privacy.erase": { organization: HEADS },
  "prices.read": { organization: PAYERS },

  "platform.read": PLATFORM,
  "platform.policies": PLATFORM,
  "organizations.create": PLATFORM,
  "organizations.disable": PLATFORM,
  "organizations.plan": PLATFORM,
  "users.disable": PLATFORM,
  "credits.grant": PLATFORM,
  "prices.write": PLATFORM,
} as const satisfies Record<string, Rule>;

export type Action = keyof typeof PERMISSIONS;
/** A scope of an admin key is an action that it may do where its owner may. */
export type Scope = Action;

const RULES: Readonly<Record<Action, Rule>> = PERMISSIONS;

// Object.keys of a typed table is string[]; the table is the list of actions.
export const ACTIONS = Object.keys(PERMISSIONS) as readonly Action[];

export const isPlatformAction = (action: Action): boolean =>
  RULES[action].organization.length === 0;

/** Where something lies. */
export interface Place {
  /** `null`: the platform as a whole. */
  readonly organizationId: string | null;
  /** The team that it is, or whose project it lies in. */
  readonly teamId?: string | null;
  /** Whose it is: the owner of a key, of an admin key, of the key that a record is of. */
  readonly ownerId?: string | null;
}

/** The place of platform actions that concern no organization. */
export const WHOLE_PLATFORM: Place = { organizationId: null };

/** Whether the actor may do it there. Objects of organizations that it cannot read are 404, not 403. */
export function can(actor: Actor, action: Action, place: Place): boolean {
  if (actor.scopes?.has(action) === false) return false;
  if (actor.organizationId !== undefined) {
    if (actor.organizationId !== place.organizationId || isPlatformAction(action)) return false;
  }
  if (actor.isPlatformAdmin) return true;
  return actor.memberships.some((membership) =>
    roleAllows(membership, action, {
      place,
      isOwn: actor.userId !== null && place.ownerId === actor.userId,
    }),
  );
}

/**
 * Whether the actor may see the organization at all: what it may not see does not exist for it.
 * Scopes do not matter here: a key without `organizations.read` still knows its organization.
 */
export function belongsTo(actor: Actor, organizationId: string): boolean {
  if (actor.organizationId !== undefined && actor.organizationId !== organizationId) return false;
  return (
    actor.isPlatformAdmin ||
    actor.memberships.some((membership) => membership.organizationId === organizationId)
  );
}

/**
 * The place that counts for a policy, a budget or a limit attached at a level. Who is bound by one
 * does not move it: a team's is the organization's business, a key's not its owner's.
 */
export function placeOfAttachment(
  level: "organization" | "team" | "project" | "key",
  place: Place,
): Place {
  const { organizationId, teamId = null } = place;
  if (level === "organization" || level === "team") return { organizationId };
  return { organizationId, teamId };
}

interface Looked {
  readonly place: Place;
  readonly isOwn: boolean;
}

/** What one membership allows. */
export function roleAllows(
  { organizationId, teamId, role }: Actor["memberships"][number],
  action: Action,
  { place, isOwn }: Looked,
): boolean {
  if (organizationId !== place.organizationId) return false;
  const rule = RULES[action];
  if (teamId === null) return rule.organization.includes(role) || owns(rule, role, isOwn);
  if (rule.anyMember === true) return true;
  if (teamId !== place.teamId) return false;
  return (rule.team ?? []).includes(role) || owns(rule, role, isOwn);
}

const owns = (rule: Rule, role: Role, isOwn: boolean): boolean =>
  isOwn && (rule.own ?? []).includes(role);
