import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";

import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { PEPPER, peopleOf, type People } from "#test/people.ts";
import type { Store } from "#store/store.ts";
import type { Actor } from "./actor.ts";
import { changeMemberRole, removeMember, setUserDisabled } from "./members.ts";
import { OPERATOR } from "./actor.ts";
import { hashPassword } from "./password.ts";
import { SESSION_ABSOLUTE_MS, SESSION_IDLE_MS, startSession, csrfTokenOf } from "./sessions.ts";
import { createSignInThrottle } from "./sign-in-throttle.ts";
import { changePassword, signIn, signOut } from "./sign-in.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describeOnEach("sessions", (make) => {
  let database: TestDatabase;
  let store: Store;
  let people: People;
  let owner: Actor;
  beforeEach(async () => {
    database = await make();
    store = await database.open();
    people = peopleOf(store);
    owner = await people.add("owner", "owner");
  });
  afterEach(async () => {
    await store.close();
    await database.remove();
  });

  const sessionOf = async ({ userId }: Actor): Promise<string> => {
    const { now } = people.clock;
    const opening = { userId: userId ?? "", pepper: PEPPER, now };
    return (await startSession(store.core, opening)).token;
  };
  const membershipOf = async ({ userId }: Actor): Promise<string> => {
    const row = await store.core
      .selectFrom("memberships")
      .select("id")
      .where("user_id", "=", userId ?? "")
      .executeTakeFirstOrThrow();
    return row.id;
  };
  const ended = { failure: { code: "unauthenticated" } };

  test("only a digest of the token is in the store", async () => {
    const token = await sessionOf(owner);
    const rows = await store.core.selectFrom("sessions").selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(token);
    await expect(people.gateway().bySession(rows[0]?.token_digest ?? "")).rejects.toMatchObject(
      ended,
    );
    expect((await people.gateway().bySession(token)).actor.userId).toBe(owner.userId);
    await expect(people.gateway().bySession(`${token.slice(0, -1)}_`)).rejects.toMatchObject(ended);
  });

  test("it ends after 12 hours of silence, and after 7 days whatever happens", async () => {
    const idle = await sessionOf(owner);
    people.clock.now += SESSION_IDLE_MS;
    await expect(people.gateway().bySession(idle)).rejects.toMatchObject(ended);
    let token = await sessionOf(owner);
    const end = people.clock.now + SESSION_ABSOLUTE_MS;
    const gateway = people.gateway();
    while (people.clock.now + 6 * HOUR < end) {
      people.clock.now += 6 * HOUR;
      token = (await gateway.bySession(token)).renewedToken ?? token;
    }
    people.clock.now = end;
    await expect(gateway.bySession(token)).rejects.toMatchObject(ended);
  });

  test("its token is renewed once an hour; the old one works for requests under way, then never", async () => {
    const old = await sessionOf(owner);
    const [one, other] = [people.gateway(), people.gateway()];
    people.clock.now += HOUR + MINUTE;
    const answers = await Promise.all([one.bySession(old), other.bySession(old)]);
    const renewed = answers.flatMap(({ renewedToken }) => renewedToken ?? []);
    expect(renewed).toHaveLength(1);
    const [token = ""] = renewed;
    expect(token).not.toBe(old);
    const { actor } = await one.bySession(token);
    // What pages hold against forgery stays: it is bound to the session, not to the token.
    expect(csrfTokenOf(PEPPER, actor.via.id)).toBe(
      csrfTokenOf(PEPPER, answers[0]?.actor.via.id ?? ""),
    );
    people.clock.now += 20 * SECOND;
    expect((await other.bySession(old)).renewedToken).toBeUndefined();
    people.clock.now += 11 * SECOND;
    await expect(other.bySession(old)).rejects.toMatchObject(ended);
    expect((await other.bySession(token)).actor.userId).toBe(owner.userId);
  });

  const endings: readonly (readonly [string, (person: Actor) => Promise<unknown>])[] = [
    ["a sign-out", (person) => signOut(people.deed(person))],
    [
      "another role",
      async (person) =>
        changeMemberRole(people.deed(owner), {
          membershipId: await membershipOf(person),
          role: "viewer",
        }),
    ],
    ["a removal", async (person) => removeMember(people.deed(owner), await membershipOf(person))],
    [
      "being disabled",
      ({ userId }) =>
        setUserDisabled(people.deed(OPERATOR), { userId: userId ?? "", isDisabled: true }),
    ],
    [
      "another password",
      async (person) => {
        await store.core
          .updateTable("users")
          .set({ password_hash: await hashPassword("correct horse battery") })
          .where("id", "=", person.userId ?? "")
          .execute();
        const throttle = createSignInThrottle(() => people.clock.now);
        const passwords = { current: "correct horse battery", next: "a whole new sentence" };
        await changePassword(people.deed(person), throttle, passwords);
      },
    ],
  ];
  test.each(endings)(
    "%s ends all sessions of the person within a second on every gateway, stolen ones too",
    async (_what, end) => {
      const person = await people.add("person", "admin");
      const bystander = await sessionOf(owner);
      const tokens = [await sessionOf(person), await sessionOf(person)];
      const gateways = [people.gateway(), people.gateway()];
      const lookAll = () =>
        Promise.allSettled(
          gateways.flatMap((gateway) => tokens.map((token) => gateway.bySession(token))),
        );
      expect((await lookAll()).map(({ status }) => status)).not.toContain("rejected");
      await end(person);
      people.clock.now += SECOND;
      expect((await lookAll()).map(({ status }) => status)).not.toContain("fulfilled");
      await gateways[0]?.bySession(bystander);
    },
  );

  test("a store that fails is not a 401", async () => {
    const token = await sessionOf(owner);
    for (const table of ["sessions", "admin_keys"]) {
      await sql`ALTER TABLE ${sql.table(table)} RENAME TO ${sql.table(`${table}_gone`)}`.execute(
        store.core,
      );
    }
    const unavailable = { failure: { code: "store_unavailable" } };
    await expect(people.gateway().bySession(token)).rejects.toMatchObject(unavailable);
    await expect(people.gateway().byAdminKey("tp-adm-x")).rejects.toMatchObject(unavailable);
  });

  test("a hash is no password, and a weak one is made better at the next sign-in", async () => {
    const throttle = createSignInThrottle(() => people.clock.now);
    // Made with the parameters of an earlier version: N = 2^12.
    const weak = "scrypt$12$8$1$c2FsdHNhbHRzYWx0c2FsdA$";
    const { scryptSync } = await import("node:crypto");
    const derived = scryptSync("an old sentence", Buffer.from("saltsaltsaltsalt"), 32, {
      N: 4_096,
      r: 8,
      p: 1,
    });
    const stored = weak + derived.toString("base64url");
    await store.core
      .updateTable("users")
      .set({ password_hash: stored })
      .where("id", "=", owner.userId ?? "")
      .execute();
    const email = "owner@example.com";
    await expect(
      signIn(people.attempt(), throttle, { email, password: stored }),
    ).rejects.toMatchObject(ended);
    await signIn(people.attempt(), throttle, { email, password: "an old sentence" });
    const { password_hash: better } = await store.core
      .selectFrom("users")
      .select("password_hash")
      .where("id", "=", owner.userId ?? "")
      .executeTakeFirstOrThrow();
    expect(better).toMatch(/^scrypt\$15\$8\$3\$/);
    await signIn(people.attempt(), throttle, { email, password: "an old sentence" });
  });

  test("a disabled person does not come in with the right password", async () => {
    const throttle = createSignInThrottle(() => people.clock.now);
    const person = await people.add("person", "viewer");
    const password = "correct horse battery";
    await store.core
      .updateTable("users")
      .set({ password_hash: await hashPassword(password), disabled_at: people.clock.now })
      .where("id", "=", person.userId ?? "")
      .execute();
    const credentials = { email: "person@example.com", password };
    await expect(signIn(people.attempt(), throttle, credentials)).rejects.toMatchObject(ended);
  });
});
