import { ROLES } from "@turnpike/contract/governance.ts";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { addTeam, PEPPER, peopleOf, type People } from "#test/people.ts";
import { beyond } from "#test/powers.ts";
import { listAuditEntries } from "#store/audit.ts";
import type { Store } from "#store/store.ts";
import { OPERATOR, type Actor } from "./actor.ts";
import { createAdminKey, listAdminKeys, revokeAdminKey } from "./admin-keys.ts";
import { GatewayError } from "#canonical/failure.ts";
import { acceptInvitation, inviteMember, revokeInvitation } from "./invitations.ts";
import { changeMemberRole, removeMember } from "./members.ts";
import { ACTIONS, type Scope } from "./permissions.ts";
import { createServiceAccount, setServiceAccountDisabled } from "./service-accounts.ts";

const SECOND = 1_000;
const DAY = 24 * 60 * 60 * SECOND;
const WHOLE = { organizationId: "org_default", teamId: null };

const refusedAs = (code: string, field?: string) => ({
  failure: { code, ...(field !== undefined && { field }) },
});

describeOnEach("people", (make) => {
  let database: TestDatabase;
  let store: Store;
  let people: People;
  let owner: Actor;
  let admin: Actor;
  beforeEach(async () => {
    database = await make();
    store = await database.open();
    people = peopleOf(store);
    owner = await people.add("owner", "owner");
    admin = await people.add("admin", "admin");
  });
  afterEach(async () => {
    await store.close();
    await database.remove();
  });
  const membershipOf = async ({ userId }: Actor): Promise<string> => {
    const row = await store.core
      .selectFrom("memberships")
      .select("id")
      .where("user_id", "=", userId ?? "")
      .executeTakeFirstOrThrow();
    return row.id;
  };
  const keyFor = (maker: Actor, scopes: readonly Scope[], more: object = {}) =>
    createAdminKey(people.deed(maker), PEPPER, {
      name: "key",
      organizationId: "org_default",
      ownerId: maker.userId ?? "",
      scopes: new Set(scopes),
      expiresAt: null,
      ...more,
    });

  test("members: nobody changes whoever may do more, and the last owner stays", async () => {
    const [ownerId, adminId] = [await membershipOf(owner), await membershipOf(admin)];
    const byAdmin = people.deed(admin);
    for (const refused of [
      () => changeMemberRole(byAdmin, { membershipId: ownerId, role: "viewer" }),
      () => changeMemberRole(byAdmin, { membershipId: adminId, role: "owner" }),
      () => removeMember(byAdmin, ownerId),
    ]) {
      await expect(refused).rejects.toMatchObject(refusedAs("forbidden", "role"));
    }
    const byOwner = people.deed(owner);
    for (const refused of [
      () => changeMemberRole(byOwner, { membershipId: ownerId, role: "viewer" }),
      () => removeMember(byOwner, ownerId),
    ]) {
      await expect(refused).rejects.toMatchObject(refusedAs("conflict"));
    }
    await changeMemberRole(byOwner, { membershipId: adminId, role: "owner" });
    await removeMember(byOwner, ownerId);
    expect((await people.again(admin)).memberships).toMatchObject([{ role: "owner" }]);
    expect((await people.again(owner)).memberships).toEqual([]);
  });

  test("members: of two owners who remove each other at once, one stays", async () => {
    const other = await people.add("other", "owner");
    const ids = [await membershipOf(owner), await membershipOf(other)];
    const results = await Promise.allSettled([
      removeMember(people.deed(owner), ids[1] ?? ""),
      removeMember(people.deed(other), ids[0] ?? ""),
    ]);
    expect(results.map(({ status }) => status).toSorted((a, b) => a.localeCompare(b))).toEqual([
      "fulfilled",
      "rejected",
    ]);
  });

  test("members: those of other organizations are not there", async () => {
    await addTeam(store, "org_other", "team_other");
    const place = { organizationId: "org_other", teamId: null };
    const stranger = await people.add("stranger", "owner", place);
    await expect(
      removeMember(people.deed(owner), await membershipOf(stranger)),
    ).rejects.toMatchObject(refusedAs("not_found"));
  });

  const invite = (by: Actor, role: (typeof ROLES)[number], email = "New@Example.com") =>
    inviteMember(people.deed(by), PEPPER, { ...WHOLE, email, role });
  const accept = (token: string, more: object = {}) =>
    acceptInvitation(people.attempt(), PEPPER, {
      token,
      name: "New",
      password: "correct horse battery",
      ...more,
    });

  test("invitations: one use, by a link whose token is not stored", async () => {
    const { token, stored } = await invite(admin, "developer");
    expect(JSON.stringify(stored)).not.toContain(token);
    await expect(accept(stored.token_digest)).rejects.toMatchObject(refusedAs("not_found"));
    await expect(accept(token, { password: "short" })).rejects.toMatchObject(
      refusedAs("invalid_request", "password"),
    );
    const results = await Promise.allSettled([accept(token), accept(token), accept(token)]);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const user = await store.core
      .selectFrom("users")
      .selectAll()
      .where("email", "=", "new@example.com")
      .executeTakeFirstOrThrow();
    expect(user).toMatchObject({ name: "New", is_platform_admin: 0 });
    expect(user.password_hash).toMatch(/^scrypt\$/);
    await expect(accept(token)).rejects.toMatchObject(refusedAs("not_found"));
  });

  test.each([
    ["a control character", "New\u001b[31m", "must not have line ends"],
    ["a mark of direction", "nimda\u202e", "must not have line ends"],
    ["a line's end", "New\u2028One", "must not have line ends"],
    ["too many letters", "n".repeat(201), "must have at most 200 characters"],
  ])(
    "people's own names, too, are refused with %s; without one it is the address",
    async (_, name, fault) => {
      const { token } = await invite(admin, "developer");
      await expect(accept(token, { name })).rejects.toMatchObject({
        failure: {
          code: "invalid_request",
          field: "name",
          message: expect.stringContaining(fault),
        },
      });
      expect(await accept(token, { name: "  " })).toMatchObject({ name: "new@example.com" });
    },
  );

  test("no address has what a terminal would obey", async () => {
    for (const email of ["a\u0000b@example.com", "a\u202eb@example.com", "a@exam\u001bple.com"]) {
      await expect(invite(admin, "developer", email)).rejects.toMatchObject(
        refusedAs("invalid_request", "email"),
      );
    }
  });

  test("invitations: not above one's own role, not after a week, not after revoking", async () => {
    await expect(invite(admin, "owner")).rejects.toMatchObject(refusedAs("forbidden", "role"));
    const late = await invite(admin, "viewer", "late@example.com");
    const revoked = await invite(admin, "viewer", "revoked@example.com");
    await revokeInvitation(people.deed(owner), revoked.stored.id);
    await expect(accept(revoked.token)).rejects.toMatchObject(refusedAs("not_found"));
    people.clock.now += 7 * DAY;
    await expect(accept(late.token)).rejects.toMatchObject(refusedAs("not_found"));
  });

  test("invitations: whoever has lost the role cannot give it by one that lies about", async () => {
    const { token } = await invite(admin, "admin");
    await changeMemberRole(people.deed(owner), {
      membershipId: await membershipOf(admin),
      role: "developer",
    });
    await expect(accept(token)).rejects.toMatchObject(refusedAs("not_found"));
  });

  test("invitations: who has an account must be signed in with the invited address", async () => {
    const known = await people.add("known");
    const other = await people.add("other");
    const { token } = await invite(admin, "viewer", "known@example.com");
    for (const signedIn of [undefined, other]) {
      await expect(accept(token, { signedIn })).rejects.toMatchObject(refusedAs("forbidden"));
    }
    await accept(token, { signedIn: known });
    expect((await people.again(known)).memberships).toMatchObject([{ role: "viewer" }]);
  });

  test("admin keys: shown once, bounded by scopes, organization and expiry, gone within a second", async () => {
    const expiresAt = people.clock.now + DAY;
    const { key, stored } = await keyFor(owner, ["audit.read", "teams.read"], { expiresAt });
    expect(key).toMatch(/^tp-adm-[\w-]{43}[0-9a-z]{7}$/);
    expect(
      JSON.stringify(await store.core.selectFrom("admin_keys").selectAll().execute()),
    ).not.toContain(key);
    const first = people.gateway();
    const gateways = [first, people.gateway()];
    const { actor } = await first.byAdminKey(key);
    expect(actor).toMatchObject({ organizationId: "org_default", expiresAt, userId: owner.userId });
    expect([...(actor.scopes ?? [])]).toEqual(["teams.read", "audit.read"]);
    for (const gateway of gateways) {
      await gateway.byAdminKey(key);
      await expect(
        gateway.byAdminKey(`${key.slice(0, -1)}${key.endsWith("0") ? 1 : 0}`),
      ).rejects.toMatchObject(refusedAs("unauthenticated"));
      await expect(async () => gateway.byAdminKey("sk-tp-something")).rejects.toMatchObject(
        refusedAs("unauthenticated"),
      );
    }
    await revokeAdminKey(people.deed(owner), stored.id);
    people.clock.now += SECOND;
    for (const gateway of gateways) {
      await expect(gateway.byAdminKey(key)).rejects.toMatchObject(refusedAs("unauthenticated"));
    }
    const late = await keyFor(owner, ["audit.read"], { expiresAt });
    people.clock.now = expiresAt;
    await expect(first.byAdminKey(late.key)).rejects.toMatchObject(refusedAs("unauthenticated"));
  });

  test("admin keys: seen and revoked by their owner and by heads, not by others", async () => {
    const developer = await people.add("dev", "developer");
    const viewer = await people.add("viewer", "viewer");
    const { stored } = await keyFor(developer, ["keys.write"]);
    const seenBy = async (actor: Actor) =>
      (await listAdminKeys(people.deed(actor), "org_default")).length;
    expect([await seenBy(developer), await seenBy(admin), await seenBy(viewer)]).toEqual([1, 1, 0]);
    await expect(revokeAdminKey(people.deed(viewer), stored.id)).rejects.toMatchObject(
      refusedAs("not_found"),
    );
    await revokeAdminKey(people.deed(developer), stored.id);
  });

  test("admin keys: only platform admins make one that is bound to no organization", async () => {
    await expect(keyFor(owner, ["audit.read"], { organizationId: null })).rejects.toMatchObject(
      refusedAs("forbidden"),
    );
    const platform = { ...owner, isPlatformAdmin: true };
    await keyFor(platform, ["platform.read"], { organizationId: null });
    for (const wanted of [{ scopes: new Set<Scope>() }, { expiresAt: people.clock.now }]) {
      await expect(keyFor(owner, ["audit.read"], wanted)).rejects.toMatchObject(
        refusedAs("invalid_request"),
      );
    }
  });

  test("service accounts: not above their maker, and their keys rest while they are disabled", async () => {
    const account = { ...WHOLE, name: "robot" };
    await expect(
      createServiceAccount(people.deed(admin), { ...account, role: "owner" }),
    ).rejects.toMatchObject(refusedAs("forbidden", "role"));
    const robot = await createServiceAccount(people.deed(admin), { ...account, role: "developer" });
    const { key } = await keyFor(admin, ["keys.read", "keys.write"], { ownerId: robot.id });
    const gateway = people.gateway();
    expect((await gateway.byAdminKey(key)).actor).toMatchObject({ kind: "service", name: "robot" });
    const disable = (isDisabled: boolean) =>
      setServiceAccountDisabled(people.deed(admin), { id: robot.id, isDisabled });
    await disable(true);
    people.clock.now += SECOND;
    await expect(gateway.byAdminKey(key)).rejects.toMatchObject(refusedAs("unauthenticated"));
    await disable(false);
    expect((await gateway.byAdminKey(key)).actor.userId).toBe(robot.id);
  });

  test("all of it is in the audit log, and no secret is", async () => {
    const { key } = await keyFor(owner, ["audit.read"]);
    const { token } = await invite(owner, "viewer");
    await accept(token);
    const entries = await listAuditEntries(store.core, { limit: 50 });
    expect(entries.map(({ action }) => action).toReversed()).toEqual([
      "admin-keys.create",
      "invitations.create",
      "users.create",
      "invitations.accept",
    ]);
    const text = JSON.stringify(entries);
    for (const secret of [key, token, "scrypt$", "digest"]) expect(text).not.toContain(secret);
  });

  test("along random chains of real grants nothing comes to hold more than the beginning held", async () => {
    for (const organization of ["org_a", "org_b"]) {
      for (const team of ["one", "two"]) {
        await addTeam(store, organization, `${organization}_${team}`);
      }
    }
    const places = ["org_a", "org_b"].flatMap((organizationId) =>
      [null, `${organizationId}_one`, `${organizationId}_two`].map((teamId) => ({
        organizationId,
        teamId,
      })),
    );
    const link = fc.record({
      place: fc.constantFrom(...places),
      role: fc.constantFrom(...ROLES),
      missing: fc.subarray([...ACTIONS], { maxLength: 2 }),
      kind: fc.constantFrom("invite", "service", "own"),
    });
    const gateway = people.gateway();
    let [count, granted] = [0, 0];
    const follow = async (maker: Actor, { place, role, missing, kind }: Link): Promise<Actor> => {
      count += 1;
      const deed = people.deed(maker);
      const scopes = new Set(ACTIONS.filter((action) => !missing.includes(action)));
      if (kind === "invite") {
        const email = `person-${count}@example.com`;
        const { token } = await inviteMember(deed, PEPPER, { ...place, email, role });
        const made = await people.add(`invited-${count}`);
        await store.core
          .updateTable("users")
          .set({ email })
          .where("id", "=", made.userId ?? "")
          .execute();
        await acceptInvitation(people.attempt(), PEPPER, { token, signedIn: made });
        return people.again(made);
      }
      const { organizationId } = place;
      const ownerId =
        kind === "own"
          ? (maker.userId ?? "")
          : (await createServiceAccount(deed, { ...place, name: `robot-${count}`, role })).id;
      const wanted = { name: "key", organizationId, ownerId, scopes, expiresAt: null };
      return (await gateway.byAdminKey((await createAdminKey(deed, PEPPER, wanted)).key)).actor;
    };
    interface Link {
      readonly place: (typeof places)[number];
      readonly role: (typeof ROLES)[number];
      readonly missing: readonly Scope[];
      readonly kind: "invite" | "service" | "own";
    }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        fc.constantFrom("owner", "admin"),
        fc.array(link, { minLength: 3, maxLength: 6 }),
        async (place, role, links) => {
          count += 1;
          const root = await people.add(`root-${count}`, role, place);
          let actor = root;
          for (const next of links) {
            const made = await follow(actor, next as Link).catch((error: unknown) => {
              if (error instanceof GatewayError && error.failure.code === "forbidden") return actor;
              throw error;
            });
            expect(beyond(made, root)).toEqual([]);
            if (made !== actor) granted += 1;
            actor = made;
          }
        },
      ),
      { numRuns: 40 },
    );
    expect(granted).toBeGreaterThan(20);
    expect((await people.again(owner)).memberships).toHaveLength(1);
    expect(OPERATOR.isPlatformAdmin).toBe(true);
  });
});
