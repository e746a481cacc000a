import type { Role } from "@turnpike/contract/governance.ts";

import type { Actor } from "#governance/actor.ts";
import { actorOf, createActors, type Actors } from "#governance/authenticate-actor.ts";
import type { Deed } from "#governance/deed.ts";
import { newPerson } from "#governance/people.ts";
import { newId } from "#lib/ids.ts";
import { changeDirectory } from "#store/directory-version.ts";
import { activeMembershipsOf, insertMembership } from "#store/memberships.ts";
import type { Store } from "#store/store.ts";
import { findUser, insertUser } from "#store/users.ts";

export const PEPPER = Buffer.alloc(32, 7);
export const START = Date.parse("2026-11-01T12:00:00Z");

/** People in a real store, with a clock that the test turns. */
export interface People {
  readonly clock: { now: number };
  /** Another gateway's view of who is who. */
  gateway(): Actors;
  deed(actor: Actor): Deed;
  attempt(): Omit<Deed, "actor"> & { readonly pepper: Buffer };
  /** Somebody with a role, by hand. */
  add(name: string, role?: Role, place?: Place): Promise<Actor>;
  /** As it is in the store now. */
  again(actor: Actor): Promise<Actor>;
}

interface Place {
  readonly organizationId: string;
  readonly teamId: string | null;
}

const DEFAULT_PLACE: Place = { organizationId: "org_default", teamId: null };

export function peopleOf({ core }: Pick<Store, "core">): People {
  const clock = { now: START };
  const attempt = (): ReturnType<People["attempt"]> => ({
    core,
    pepper: PEPPER,
    now: clock.now,
    ip: "192.0.2.7",
    requestId: "req_test",
  });
  const load = async (id: string): Promise<Actor> => {
    const user = await findUser(core, id);
    if (user === undefined) throw new Error(`no user ${id}`);
    const memberships = await activeMembershipsOf(core, id);
    return actorOf(user, memberships, { kind: "session", id: "ses_test" });
  };
  return {
    clock,
    gateway: () => createActors({ core, pepper: PEPPER, now: () => clock.now }),
    deed: (actor) => ({ ...attempt(), actor }),
    attempt,
    again: (actor) => load(actor.userId ?? ""),
    async add(name, role, { organizationId, teamId } = DEFAULT_PLACE) {
      const id = await changeDirectory(core, async (transaction, version) => {
        const email = `${name}@example.com`;
        const user = newPerson({ email, name, now: clock.now, version });
        await insertUser(transaction, user);
        if (role === undefined) return user.id;
        await insertMembership(transaction, {
          id: newId("mem_", clock.now),
          user_id: user.id,
          organization_id: organizationId,
          team_id: teamId,
          role,
          source: "manual",
          created_at: clock.now,
          version,
        });
        return user.id;
      });
      return load(id);
    },
  };
}

/** A team of an organization, and that where there is none yet. */
export const addTeam = (
  { core }: Pick<Store, "core">,
  organizationId: string,
  id: string,
): Promise<unknown> =>
  changeDirectory(core, async (transaction, version) => {
    const created_at = START;
    await transaction
      .insertInto("organizations")
      .values({
        id: organizationId,
        slug: organizationId.replaceAll("_", "-"),
        name: organizationId,
        plan: "free",
        time_zone: "UTC",
        settings: "{}",
        created_at,
        disabled_at: null,
        version,
      })
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute();
    await transaction
      .insertInto("teams")
      .values({
        id,
        organization_id: organizationId,
        name: id,
        created_at,
        archived_at: null,
        version,
      })
      .execute();
  });
