import type { Actor } from "#governance/actor.ts";
import { ACTIONS, can, type Place } from "#governance/permissions.ts";

/** Two organizations with two teams each: enough for every way in which places can differ. */
export const PLACES: readonly Place[] = [
  { organizationId: null },
  ...["org_a", "org_b"].flatMap((organizationId) => [
    { organizationId, teamId: null },
    { organizationId, teamId: `${organizationId}_one` },
    { organizationId, teamId: `${organizationId}_two` },
  ]),
];

/** All that an actor may do: with things of others, and with its own. */
export function powersOf(actor: Actor): ReadonlySet<string> {
  const powers = new Set<string>();
  for (const place of PLACES) {
    for (const action of ACTIONS) {
      const where = `${action} at ${place.organizationId ?? "platform"}/${place.teamId ?? ""}`;
      if (can(actor, action, { ...place, ownerId: "somebody else" })) powers.add(where);
      if (can(actor, action, { ...place, ownerId: actor.userId })) powers.add(`${where} (own)`);
    }
  }
  return powers;
}

/** What one holds and the other does not. */
export function beyond(one: Actor, other: Actor): readonly string[] {
  const held = powersOf(other);
  return [...powersOf(one)].filter((power) => !held.has(power));
}
