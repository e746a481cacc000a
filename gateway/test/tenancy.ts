import type { KeySettings, Level, Plan, PolicyDocument } from "@turnpike/contract/governance.ts";

import { createKey } from "#governance/create-key.ts";
import { newId } from "#lib/ids.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { changeDirectory } from "#store/directory-version.ts";
import type { Store } from "#store/store.ts";

/** Organizations, teams, projects, keys and policies, written as an administrator's changes would be. */
export interface Tenancy {
  organization(plan?: Plan): Promise<string>;
  team(organizationId: string): Promise<string>;
  project(organizationId: string, teamId?: string): Promise<string>;
  /** Of the default organization and project, unless others are named. */
  key(options?: NewTestKey): Promise<{ readonly id: string; readonly key: string }>;
  /** In place of what the target had. */
  policy(level: Level, targetId: string, document: PolicyDocument): Promise<void>;
}

export interface NewTestKey {
  readonly organizationId?: string;
  readonly projectId?: string;
  readonly settings?: KeySettings;
}

/** Writes to a store whose gateway has its master key in `home`. */
export function tenancyOf({ core }: Store, home: string, masterKey?: string): Tenancy {
  const { keyPepper } = loadMasterKey(home, masterKey);
  let made = 0;
  const idOf = (prefix: string): string => newId(prefix, Date.now());
  const base = (version: number) => ({ created_at: Date.now(), version });
  return {
    organization: async (plan = "enterprise") => {
      const id = idOf("org_");
      await changeDirectory(core, (transaction, version) =>
        transaction
          .insertInto("organizations")
          .values({
            id,
            slug: id.toLowerCase(),
            name: `Organization ${made++}`,
            plan,
            time_zone: "UTC",
            settings: "{}",
            disabled_at: null,
            ...base(version),
          })
          .execute(),
      );
      return id;
    },
    team: async (organizationId) => {
      const id = idOf("team_");
      const row = { id, organization_id: organizationId, name: id, archived_at: null };
      await changeDirectory(core, (transaction, version) =>
        transaction
          .insertInto("teams")
          .values({ ...row, ...base(version) })
          .execute(),
      );
      return id;
    },
    project: async (organizationId, teamId) => {
      const id = idOf("proj_");
      const row = { id, organization_id: organizationId, name: id, archived_at: null };
      await changeDirectory(core, (transaction, version) =>
        transaction
          .insertInto("projects")
          .values({ ...row, team_id: teamId ?? null, settings: "{}", ...base(version) })
          .execute(),
      );
      return id;
    },
    key: async (options = {}) => {
      const name = `key ${made++}`;
      const { key, stored } = await createKey(core, keyPepper, {
        name,
        now: Date.now(),
        ...options,
      });
      return { id: stored.id, key };
    },
    policy: async (level, targetId, document) => {
      const row = {
        id: idOf("pol_"),
        organization_id: "org_default",
        level,
        target_id: targetId,
        document: JSON.stringify(document),
        updated_at: Date.now(),
        deleted_at: null,
      };
      await changeDirectory(core, (transaction, version) =>
        transaction
          .insertInto("policies")
          .values({ ...row, ...base(version) })
          .onConflict((conflict) =>
            conflict
              .columns(["level", "target_id"])
              .doUpdateSet({ document: row.document, deleted_at: null, version }),
          )
          .execute(),
      );
    },
  };
}
