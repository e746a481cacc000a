import { GatewayError } from "#canonical/failure.ts";
import type { Actor, ActorMembership } from "#governance/actor.ts";
import { ACTIONS, can, roleAllows, type Place, type Scope } from "#governance/permissions.ts";

/**
 * Nobody gives what they do not hold. A role may be given, changed or taken away only by whoever may
 * do all that it allows at that place: so an admin makes no owner and removes none, and an admin key
 * with a few scopes makes nobody who could do more than these.
 */
export function mayGiveRole(
  actor: Actor,
  membership: ActorMembership,
  how: "members.write" | "invitations.write" | "service-accounts.write" = "members.write",
): boolean {
  const place = { organizationId: membership.organizationId, teamId: membership.teamId };
  return can(actor, how, place) && holdsRole(actor, membership, ACTIONS);
}

/** Throws `forbidden` unless the actor may give the role there. */
export function checkMayGiveRole(
  actor: Actor,
  membership: ActorMembership,
  how?: Parameters<typeof mayGiveRole>[2],
): void {
  if (mayGiveRole(actor, membership, how)) return;
  throw new GatewayError({
    code: "forbidden",
    field: "role",
    message: `You may not give or take the role "${membership.role}" there: it allows more than you may do yourself.`,
  });
}

/** Whether the actor may do there, with its own things and with others', what the role may of these. */
function holdsRole(actor: Actor, membership: ActorMembership, actions: Iterable<Scope>): boolean {
  const { organizationId, teamId } = membership;
  const others: Place = { organizationId, teamId };
  const own: Place = { ...others, ownerId: actor.userId };
  for (const action of actions) {
    const asOwner = roleAllows(membership, action, { place: others, isOwn: true });
    if (!asOwner) continue;
    const forAll = roleAllows(membership, action, { place: others, isOwn: false });
    if (!can(actor, action, forAll ? others : own)) return false;
  }
  return true;
}

export interface AdminKeyGrant {
  /** `null`: all organizations of its owner. */
  readonly organizationId: string | null;
  readonly scopes: ReadonlySet<Scope>;
  /** In milliseconds; `null`: never. */
  readonly expiresAt: number | null;
  /** Whose key it will be; its roles bound the key. */
  readonly owner: {
    readonly id: string;
    readonly kind: "person" | "service";
    readonly memberships: readonly ActorMembership[];
  };
}

/** Why an admin key may not be made, as a field and words; `undefined`: it may. */
export interface Refusal {
  readonly field: "organization_id" | "scopes" | "expires_at" | "owner_id";
  readonly reason: string;
}

/** An admin key is for oneself or for a service account, and does nothing that its maker could not. */
export function refusalOfAdminKey(actor: Actor, grant: AdminKeyGrant): Refusal | undefined {
  return refusalOfBounds(actor, grant) ?? refusalOfOwner(actor, grant);
}

function refusalOfBounds(actor: Actor, grant: AdminKeyGrant): Refusal | undefined {
  const { organizationId, expiresAt } = grant;
  if (actor.organizationId !== undefined && actor.organizationId !== organizationId) {
    return {
      field: "organization_id",
      reason: "The key you use is bound to another organization.",
    };
  }
  const beyond = [...grant.scopes].filter((scope) => actor.scopes?.has(scope) === false);
  if (beyond.length > 0) {
    return { field: "scopes", reason: `The key you use does not have: ${beyond.join(", ")}.` };
  }
  if (actor.expiresAt !== undefined && (expiresAt === null || expiresAt > actor.expiresAt)) {
    return { field: "expires_at", reason: "It may not outlive the key that makes it." };
  }
  return undefined;
}

function refusalOfOwner(actor: Actor, grant: AdminKeyGrant): Refusal | undefined {
  const { owner, scopes, organizationId } = grant;
  if (owner.id === actor.userId || actor.kind === "operator") return undefined;
  if (owner.kind === "person") {
    return { field: "owner_id", reason: "An admin key is for yourself or for a service account." };
  }
  const within = owner.memberships.filter(
    (membership) => organizationId === null || membership.organizationId === organizationId,
  );
  // One without any role now may be given one later, and whoever made its keys would hold it, too.
  const held =
    within.length > 0 &&
    within.every(
      (membership) =>
        can(actor, "service-accounts.write", membership) && holdsRole(actor, membership, scopes),
    );
  return held
    ? undefined
    : {
        field: "owner_id",
        reason: "The service account has no role here, or may do more than you.",
      };
}
