import type { Kysely, Transaction } from "kysely";

import type { PageOf } from "#store/page.ts";
import { withinReach, type Reach } from "#store/reach.ts";
import type { CoreTables } from "#store/schema.ts";

export type StoredCredential = CoreTables["provider_credentials"];

/** What of a credential may be read by people: all but its secret. */
export type CredentialFacts = Omit<StoredCredential, "sealed" | "encryption_key">;

/** All that was written after a version of the directory, those out of force included. */
export const credentialsAfter = (
  core: Kysely<CoreTables>,
  version: number,
): Promise<readonly StoredCredential[]> =>
  core
    .selectFrom("provider_credentials")
    .selectAll()
    .where("version", ">", version)
    .orderBy("id")
    .execute();

export const findCredential = (
  core: Kysely<CoreTables>,
  id: string,
): Promise<StoredCredential | undefined> =>
  core.selectFrom("provider_credentials").selectAll().where("id", "=", id).executeTakeFirst();

export interface CredentialFilter extends PageOf {
  readonly organizationId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly provider?: string | undefined;
  /** Those that were removed, too. */
  readonly archived: boolean;
}

const FACTS = [
  "id",
  "organization_id",
  "project_id",
  "provider",
  "name",
  "base_url",
  "variables",
  "hint",
  "position",
  "allowed_key_ids",
  "zero_retention_by",
  "zero_retention_at",
  "tested_at",
  "test_result",
  "created_at",
  "disabled_at",
  "archived_at",
  "version",
] as const;

/** A page of those within reach, the newest first, each with its team; sealed secrets are not read. */
export async function listCredentials(
  core: Kysely<CoreTables>,
  reach: Reach,
  { after, limit, organizationId, projectId, provider, archived }: CredentialFilter,
): Promise<readonly CredentialFacts[]> {
  let query = core
    .selectFrom("provider_credentials")
    .leftJoin("projects", "projects.id", "provider_credentials.project_id")
    .select(FACTS.map((name) => `provider_credentials.${name}` as const))
    .where((where) =>
      withinReach(where as never, reach, {
        organization: "provider_credentials.organization_id",
        team: "projects.team_id",
      }),
    );
  if (after !== undefined) query = query.where("provider_credentials.id", "<", after);
  if (organizationId !== undefined)
    query = query.where("provider_credentials.organization_id", "=", organizationId);
  if (projectId !== undefined)
    query = query.where("provider_credentials.project_id", "=", projectId);
  if (provider !== undefined) query = query.where("provider_credentials.provider", "=", provider);
  if (!archived) query = query.where("provider_credentials.archived_at", "is", null);
  return query.orderBy("provider_credentials.id", "desc").limit(limit).execute();
}

/** Adds one, within a change of the directory. */
export async function insertCredential(
  transaction: Transaction<CoreTables>,
  row: StoredCredential,
): Promise<void> {
  await transaction.insertInto("provider_credentials").values(row).execute();
}

/** What of a credential can change; where it is and whose it is cannot. */
export type CredentialChange = Partial<
  Omit<StoredCredential, "id" | "organization_id" | "project_id" | "provider" | "created_at">
> & { readonly version: number };

/** Changes one, within a change of the directory; archived ones stay as they are. */
export async function updateCredential(
  transaction: Transaction<CoreTables>,
  id: string,
  change: CredentialChange,
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable("provider_credentials")
    .set(change)
    .where("id", "=", id)
    .where("archived_at", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * Notes what a test found. Not a change of the directory: nothing that gateways act on changes, and
 * whoever edits the credential meanwhile loses nothing.
 */
export async function noteTest(
  transaction: Transaction<CoreTables>,
  id: string,
  test: Pick<StoredCredential, "tested_at" | "test_result">,
): Promise<void> {
  await transaction.updateTable("provider_credentials").set(test).where("id", "=", id).execute();
}

/** Which of the keys belong to the organization and, where one is named, to the project. */
export async function keysWithin(
  core: Kysely<CoreTables>,
  keyIds: readonly string[],
  place: { readonly organizationId: string; readonly projectId: string | null },
): Promise<ReadonlySet<string>> {
  let query = core
    .selectFrom("keys")
    .select("id")
    .where("id", "in", keyIds)
    .where("organization_id", "=", place.organizationId);
  if (place.projectId !== null) query = query.where("project_id", "=", place.projectId);
  return new Set((await query.execute()).map(({ id }) => id));
}
