import { GatewayError } from "#canonical/failure.ts";
import type { Actor } from "#governance/actor.ts";
import { can, isPlatformAction, type Action } from "#governance/permissions.ts";
export type { Reach } from "#store/reach.ts";
import type { Reach } from "#store/reach.ts";

/**
 * All of what the actor may do something to, for lists. `within` narrows it to one organization.
 * Throws `forbidden` where that is nothing at all.
 */
export function reachOf(actor: Actor, action: Action, within?: string): Reach {
  const bound = within ?? actor.organizationId;
  if (actor.isPlatformAdmin) {
    if (!can(actor, action, { organizationId: bound ?? null })) throw notAllowed(actor, action);
    return bound === undefined ? "all" : { organizationIds: [bound], teamIds: [] };
  }
  const places = actor.memberships
    .filter(({ organizationId }) => bound === undefined || organizationId === bound)
    .map(({ organizationId, teamId }) => ({ organizationId, teamId }));
  const full = places.filter((place) => can(actor, action, place));
  const { userId } = actor;
  const own = places.filter(
    (place) => !full.includes(place) && can(actor, action, { ...place, ownerId: userId }),
  );
  if (full.length + own.length === 0) throw notAllowed(actor, action);
  return {
    ...areaOf(full),
    ...(own.length > 0 && userId !== null && { own: { ...areaOf(own), userId } }),
  };
}

interface Where {
  readonly organizationId: string;
  readonly teamId: string | null;
}

const areaOf = (
  places: readonly Where[],
): { readonly organizationIds: readonly string[]; readonly teamIds: readonly string[] } => ({
  organizationIds: places
    .filter(({ teamId }) => teamId === null)
    .map(({ organizationId }) => organizationId),
  teamIds: places.flatMap(({ teamId }) => (teamId === null ? [] : [teamId])),
});

/** The organizations that an actor belongs to, whatever its roles; a platform admin's are all. */
export function organizationsOf(actor: Actor): "all" | readonly string[] {
  if (actor.organizationId !== undefined) return [actor.organizationId];
  if (actor.isPlatformAdmin) return "all";
  return [...new Set(actor.memberships.map(({ organizationId }) => organizationId))];
}

/** Says whether the role or the scopes are in the way. */
export function notAllowed(actor: Actor, action: Action): GatewayError {
  const isScoped = actor.scopes?.has(action) === false;
  const who = isPlatformAction(action) ? "a platform admin" : "an owner or admin";
  const message = isScoped
    ? `The admin key does not have the scope "${action}". Make one that has it.`
    : `Your role does not allow "${action}" here. Ask ${who} of it.`;
  return new GatewayError({ code: "forbidden", message });
}
