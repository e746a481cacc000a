import type { Role } from "@turnpike/contract/governance.ts";

import type { Actor } from "#governance/actor.ts";
import { ROLES } from "@turnpike/contract/governance.ts";
import { changeDirectory } from "#store/directory-version.ts";
import { insertKeyRow } from "#store/key-rows.ts";
import { insertMembership } from "#store/memberships.ts";
import { insertOrganization } from "#store/organizations.ts";
import { insertProject } from "#store/projects.ts";
import type { Store } from "#store/store.ts";
import { insertTeam } from "#store/teams.ts";
import { insertUser } from "#store/users.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

/** Ids of a small world: two organizations, teams, projects, a key each, and a person of each role. */
export const WORLD = {
  own: "org_own",
  other: "org_other",
  team: "team_own",
  sibling: "team_sibling",
  otherTeam: "team_other",
  project: "proj_own",
  siblingProject: "proj_sibling",
  looseProject: "proj_loose",
  otherProject: "proj_other",
  key: "key_own",
  siblingKey: "key_sibling",
  otherKey: "key_other",
} as const;

/** Who there is: role at the organization, role at the team, and the strangers. */
export const PEOPLE = [
  ...ROLES.map((role) => ({ name: role as string, role, organization: WORLD.own, team: null })),
  ...ROLES.map((role) => ({
    name: `team-${role}`,
    role,
    organization: WORLD.own,
    team: WORLD.team,
  })),
  { name: "stranger-owner", role: "owner" as Role, organization: WORLD.other, team: null },
  { name: "stranger-admin", role: "admin" as Role, organization: WORLD.other, team: null },
];

/** Puts the world into a store that a gateway has read already: as a change of its directory. */
export const addWorld = (store: Pick<Store, "core">): Promise<void> =>
  changeDirectory(store.core, (core, version) => fillWorld({ core }, version));

/** Puts the world into a store. Ids of people are `user_` and their name. */
export async function fillWorld({ core }: Pick<Store, "core">, version = 1): Promise<void> {
  const common = { created_at: NOW, version };
  for (const id of [WORLD.own, WORLD.other]) {
    const slug = id.slice(4);
    const row = { id, slug, name: slug, plan: "enterprise" as const, time_zone: "UTC" };
    await insertOrganization(core, { ...row, settings: "{}", disabled_at: null, ...common });
  }
  for (const [id, organization_id] of [
    [WORLD.team, WORLD.own],
    [WORLD.sibling, WORLD.own],
    [WORLD.otherTeam, WORLD.other],
  ] as const) {
    await insertTeam(core, { id, organization_id, name: id, archived_at: null, ...common });
  }
  for (const [id, organization_id, team_id] of [
    [WORLD.project, WORLD.own, WORLD.team],
    [WORLD.siblingProject, WORLD.own, WORLD.sibling],
    [WORLD.looseProject, WORLD.own, null],
    [WORLD.otherProject, WORLD.other, WORLD.otherTeam],
  ] as const) {
    const row = { id, organization_id, team_id, name: id, settings: "{}", archived_at: null };
    await insertProject(core, { ...row, ...common });
  }
  for (const { name, role, organization, team } of PEOPLE) {
    const id = `user_${name}`;
    await insertPerson(core, id);
    await insertMembership(core, {
      id: `mem_${name}`,
      user_id: id,
      organization_id: organization,
      team_id: team,
      role,
      source: "manual",
      ...common,
    });
  }
  await insertPerson(core, "user_platform", 1);
  for (const [id, organization_id, project_id, owner_id] of [
    [WORLD.key, WORLD.own, WORLD.project, "user_team-developer"],
    [WORLD.siblingKey, WORLD.own, WORLD.siblingProject, null],
    [WORLD.otherKey, WORLD.other, WORLD.otherProject, null],
  ] as const) {
    await insertKeyRow(core, {
      id,
      organization_id,
      project_id,
      owner_id,
      name: id,
      digest: id,
      hint: "sk-tp-…",
      settings: "{}",
      revoked_at: null,
      expires_at: null,
      disabled_at: null,
      replaced_by: null,
      last_used_at: null,
      ...common,
    });
  }
}

const insertPerson = (core: Store["core"], id: string, isPlatformAdmin = 0): Promise<unknown> =>
  insertUser(core, {
    id,
    kind: "person",
    organization_id: null,
    email: `${id.slice(5)}@example.com`,
    name: id,
    password_hash: null,
    oidc_issuer: null,
    oidc_subject: null,
    is_platform_admin: isPlatformAdmin,
    created_at: NOW,
    disabled_at: null,
    version: 1,
  });

/** A person of the world as an actor. */
export function actorNamed(name: string): Actor {
  const person = PEOPLE.find((known) => known.name === name);
  return {
    kind: "person",
    userId: `user_${name}`,
    name: `${name}@example.com`,
    isPlatformAdmin: name === "platform",
    memberships:
      person === undefined
        ? []
        : [{ organizationId: person.organization, teamId: person.team, role: person.role }],
    via: { kind: "session", id: `ses_${name}` },
  };
}
