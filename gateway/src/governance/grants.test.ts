import { ROLES } from "@turnpike/contract/governance.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { beyond, PLACES } from "#test/powers.ts";
import type { Actor, ActorMembership } from "./actor.ts";
import { mayGiveRole, refusalOfAdminKey } from "./grants.ts";
import { ACTIONS, can, isPlatformAction, type Scope } from "./permissions.ts";

const role = fc.constantFrom(...ROLES);
const membership: fc.Arbitrary<ActorMembership> = fc
  .tuple(fc.constantFrom(...PLACES.slice(1)), role)
  .map(([{ organizationId, teamId = null }, given]) => ({
    organizationId: organizationId ?? "",
    teamId,
    role: given,
  }));
/** Often nearly all of them: a few scopes give nothing to anybody. */
const scopes: fc.Arbitrary<ReadonlySet<Scope>> = fc
  .tuple(fc.subarray([...ACTIONS]), fc.constantFrom("these", "all but some", "all"))
  .map(([some, how]) => {
    if (how === "these") return new Set(some);
    const missing = new Set(how === "all" ? [] : some.slice(0, 3));
    return new Set(ACTIONS.filter((action) => !missing.has(action)));
  });
const organization = fc.constantFrom("org_a", "org_b");

const person = (id: string, memberships: readonly ActorMembership[]): Actor => ({
  kind: "person",
  userId: id,
  name: id,
  isPlatformAdmin: false,
  memberships,
  via: { kind: "session", id },
});

const anybody: fc.Arbitrary<Actor> = fc
  .record({
    memberships: fc.array(membership, { maxLength: 3 }),
    isPlatformAdmin: fc.constantFrom(false, false, false, true),
    scopes: fc.option(scopes, { nil: undefined }),
    organizationId: fc.option(organization, { nil: undefined, freq: 1 }),
  })
  .map(({ memberships, isPlatformAdmin, scopes: held, organizationId }) => ({
    ...person("maker", memberships),
    isPlatformAdmin,
    ...(held !== undefined && { scopes: held }),
    ...(held !== undefined && organizationId !== undefined && { organizationId }),
  }));

const ownerOfAll = person(
  "maker",
  ["org_a", "org_b"].map((organizationId) => ({ organizationId, teamId: null, role: "owner" })),
);

const RUNS = { numRuns: 3_000 };

describe("issue ≤ hold", () => {
  test("whoever gets a role may do nothing that its giver may not", () => {
    let given = 0;
    fc.assert(
      fc.property(anybody, membership, (maker, wanted) => {
        for (const how of [
          "members.write",
          "invitations.write",
          "service-accounts.write",
        ] as const) {
          if (!mayGiveRole(maker, wanted, how)) continue;
          given += 1;
          expect(beyond(person("new", [wanted]), maker)).toEqual([]);
        }
      }),
      RUNS,
    );
    // A rule that refuses everything would pass, too.
    expect(given).toBeGreaterThan(300);
  });

  test("what owners hold, admins can neither give nor take", () => {
    const admin = person("a", [{ organizationId: "org_a", teamId: null, role: "admin" }]);
    const owner = person("o", [{ organizationId: "org_a", teamId: null, role: "owner" }]);
    const allowed = (actor: Actor) =>
      ROLES.filter((given) =>
        mayGiveRole(actor, { organizationId: "org_a", teamId: null, role: given }),
      );
    expect(allowed(admin)).toEqual(["admin", "developer", "viewer", "billing"]);
    expect(allowed(owner)).toEqual([...ROLES]);
    for (const other of ["developer", "viewer", "billing"] as const) {
      expect(
        allowed(person("x", [{ organizationId: "org_a", teamId: null, role: other }])),
      ).toEqual([]);
    }
  });

  test("an admin key may do nothing that its maker may not, however it was made", () => {
    let made = 0;
    fc.assert(
      fc.property(
        anybody,
        fc.array(membership, { minLength: 1, maxLength: 2 }),
        fc.record({ scopes, organizationId: fc.option(organization), isOwn: fc.boolean() }),
        (maker, memberships, wanted) => {
          const owner = wanted.isOwn ? maker : { ...person("robot", memberships), kind: "service" };
          const refusal = refusalOfAdminKey(maker, {
            organizationId: wanted.organizationId,
            scopes: wanted.scopes,
            expiresAt: null,
            owner: {
              id: owner.userId ?? "",
              kind: owner.kind === "service" ? "service" : "person",
              memberships: owner.memberships,
            },
          });
          if (refusal !== undefined) return;
          made += 1;
          const { scopes: _scopes, organizationId: _bound, ...powers } = owner as Actor;
          const key: Actor = {
            ...powers,
            scopes: wanted.scopes,
            ...(wanted.organizationId !== null && { organizationId: wanted.organizationId }),
          };
          expect(beyond(key, maker)).toEqual([]);
        },
      ),
      RUNS,
    );
    expect(made).toBeGreaterThan(300);
  });

  test("at the end of any chain of grants there is nothing that its beginning did not hold", () => {
    let longest = 0;
    fc.assert(
      fc.property(
        fc.oneof(anybody, fc.constant(ownerOfAll)),
        fc.array(fc.record({ membership, scopes, organization, step: fc.nat(2) }), {
          minLength: 1,
          maxLength: 15,
        }),
        (root, steps) => {
          let actor = root;
          let links = 0;
          for (const [at, step] of steps.entries()) {
            const next = nextOf(actor, step, `link ${at}`);
            if (next === undefined) continue;
            expect(beyond(next, root)).toEqual([]);
            actor = next;
            links += 1;
          }
          longest = Math.max(longest, links);
        },
      ),
      { numRuns: 1_000 },
    );
    expect(longest).toBeGreaterThanOrEqual(4);
  });

  test("a key does not outlive the key that made it", () => {
    const maker = { ...person("m", []), isPlatformAdmin: true, expiresAt: 1_000 };
    const owner = { id: "m", kind: "person", memberships: [] } as const;
    const grant = { organizationId: null, scopes: new Set<Scope>(["audit.read"]), owner };
    expect(refusalOfAdminKey(maker, { ...grant, expiresAt: 1_000 })).toBeUndefined();
    for (const expiresAt of [1_001, null]) {
      expect(refusalOfAdminKey(maker, { ...grant, expiresAt })?.field).toBe("expires_at");
    }
  });

  test("nobody makes a key for a service account without a role, or for another person", () => {
    const admin = person("a", [{ organizationId: "org_a", teamId: null, role: "admin" }]);
    const grant = {
      organizationId: "org_a",
      scopes: new Set<Scope>(["keys.read"]),
      expiresAt: null,
    };
    for (const kind of ["service", "person"] as const) {
      const owner = { id: "other", kind, memberships: [] };
      expect(refusalOfAdminKey(admin, { ...grant, owner })?.field).toBe("owner_id");
    }
  });
});

interface Step {
  readonly membership: ActorMembership;
  readonly scopes: ReadonlySet<Scope>;
  readonly organization: string;
  readonly step: number;
}

/** Gives a role to somebody new, makes a service account with a key, or a key of one's own. */
function nextOf(
  actor: Actor,
  { membership: wanted, ...step }: Step,
  id: string,
): Actor | undefined {
  if (step.step === 0) {
    return mayGiveRole(actor, wanted) ? person(id, [wanted]) : undefined;
  }
  const isRobot = step.step === 1;
  if (isRobot && !mayGiveRole(actor, wanted, "service-accounts.write")) return undefined;
  const owner: Actor = isRobot ? { ...person(id, [wanted]), kind: "service" } : actor;
  const organizationId = isRobot ? wanted.organizationId : step.organization;
  const refusal = refusalOfAdminKey(actor, {
    organizationId,
    scopes: step.scopes,
    expiresAt: null,
    owner: {
      id: owner.userId ?? "",
      kind: isRobot ? "service" : "person",
      memberships: owner.memberships,
    },
  });
  if (refusal !== undefined) return undefined;
  return { ...owner, scopes: step.scopes, organizationId };
}

describe("can", () => {
  test("the platform's actions are for platform admins, and for no key that is bound", () => {
    const everyRole = PLACES.slice(1).flatMap(({ organizationId, teamId = null }) =>
      ROLES.map((given) => ({ organizationId: organizationId ?? "", teamId, role: given })),
    );
    const ordinary = person("p", everyRole);
    const platform = { ...ordinary, isPlatformAdmin: true };
    const bound = { ...platform, organizationId: "org_a" };
    const actions = ACTIONS.filter(isPlatformAction);
    expect(actions.length).toBeGreaterThan(5);
    for (const action of actions) {
      for (const place of PLACES) {
        expect(can(ordinary, action, place)).toBe(false);
        expect(can(platform, action, place)).toBe(true);
        expect(can(bound, action, place)).toBe(false);
      }
    }
  });

  test("roles of one organization count for nothing in another, those of a team only within it", () => {
    fc.assert(
      fc.property(membership, fc.constantFrom(...ACTIONS), (held, action) => {
        const actor = person("p", [held]);
        for (const place of PLACES) {
          const isInside =
            place.organizationId === held.organizationId &&
            (held.teamId === null ||
              place.teamId === held.teamId ||
              action === "organizations.read");
          if (!isInside) expect(can(actor, action, { ...place, ownerId: "p" })).toBe(false);
        }
      }),
    );
  });

  test("a viewer reads no content, a developer only that of own keys; billing sees money, no records", () => {
    const place = { organizationId: "org_a", teamId: null };
    const as = (given: (typeof ROLES)[number]) => person("p", [{ ...place, role: given }]);
    expect(can(as("viewer"), "content.read", { ...place, ownerId: "p" })).toBe(false);
    expect(can(as("developer"), "content.read", place)).toBe(false);
    expect(can(as("developer"), "content.read", { ...place, ownerId: "p" })).toBe(true);
    expect(can(as("billing"), "credits.read", place)).toBe(true);
    expect(can(as("billing"), "records.read", place)).toBe(false);
    expect(can(as("developer"), "keys.write", place)).toBe(false);
    expect(can(as("developer"), "keys.write", { ...place, ownerId: "p" })).toBe(true);
  });
});
