import type { OrganizationSettings } from "@turnpike/contract/governance.ts";

import { sealSecret } from "#byok/seal-secret.ts";
import { createKey } from "#governance/create-key.ts";
import { newId } from "#lib/ids.ts";
import { createEnvelope, type Envelope } from "#privacy/envelope.ts";
import { loadMasterKey, type MasterKey } from "#privacy/master-key.ts";
import { insertCredential, type StoredCredential } from "#store/credentials.ts";
import { changeDirectory } from "#store/directory-version.ts";
import { openStore, type Store } from "#store/store.ts";
import { payIn } from "#test/govern.ts";

/** The data of a gateway, opened beside it, to put organizations and their credentials there. */
export interface Tenants {
  readonly store: Store;
  readonly envelope: Envelope;
  /** An organization with one project, `proj_NAME`. */
  organization(name: string, settings?: Partial<OrganizationSettings>): Promise<void>;
  /** An inference key of the organization's project, or of another one. */
  key(
    organization: string,
    project?: string,
  ): Promise<{ readonly id: string; readonly key: string }>;
  credential(given: NewCredential): Promise<string>;
  /** Pays into the organization's wallet. */
  payIn(organization: string, amount: bigint): Promise<void>;
  change(id: string, change: Partial<StoredCredential>): Promise<void>;
  close(): Promise<void>;
}

type NewCredential = Partial<StoredCredential> & {
  readonly organization: string;
  readonly provider: string;
  readonly secret: string;
};

export async function openTenants(home: string): Promise<Tenants> {
  const store = await openStore({ home });
  return tenantsIn(store, loadMasterKey(home, undefined));
}

export function tenantsIn(store: Store, master: MasterKey): Tenants {
  const { core } = store;
  const envelope = createEnvelope({ core, master, now: Date.now });
  return {
    store,
    envelope,
    payIn: (name, amount) => payIn(store, `pay:${name}`, { owner: `org_${name}`, amount }),
    close: () => store.close(),
    organization: (name, settings = {}) =>
      changeDirectory(core, async (transaction, version) => {
        const own = { id: `org_${name}`, name, created_at: 0, version };
        await transaction
          .insertInto("organizations")
          .values({
            ...own,
            slug: name,
            plan: "enterprise",
            time_zone: "UTC",
            settings: JSON.stringify(settings),
            disabled_at: null,
          })
          .execute();
        await transaction
          .insertInto("projects")
          .values({
            ...own,
            id: `proj_${name}`,
            organization_id: own.id,
            team_id: null,
            settings: "{}",
            archived_at: null,
          })
          .execute();
      }),
    key: async (organization, project = `proj_${organization}`) => {
      const { key, stored } = await createKey(core, master.keyPepper, {
        name: newId("k", Date.now()),
        now: Date.now(),
        organizationId: `org_${organization}`,
        projectId: project,
      });
      return { id: stored.id, key };
    },
    credential: async ({ organization, secret, ...given }) => {
      const id = newId("cred_", Date.now());
      const organization_id = `org_${organization}`;
      const sealed = await sealSecret(envelope, { id, organization_id }, secret);
      await changeDirectory(core, (transaction, version) =>
        insertCredential(transaction, {
          ...BLANK,
          id,
          organization_id,
          name: id,
          ...given,
          ...sealed,
          version,
        }),
      );
      return id;
    },
    change: (id, change) =>
      changeDirectory(core, async (transaction, version) => {
        await transaction
          .updateTable("provider_credentials")
          .set({ ...change, version })
          .where("id", "=", id)
          .execute();
      }),
  };
}

const BLANK = {
  project_id: null,
  base_url: null,
  variables: "{}",
  position: 0,
  allowed_key_ids: null,
  zero_retention_by: null,
  zero_retention_at: null,
  tested_at: null,
  test_result: null,
  created_at: 0,
  disabled_at: null,
  archived_at: null,
} as const;
