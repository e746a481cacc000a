import type {
  CredentialChange,
  CredentialRotation,
  NewCredential,
} from "@turnpike/contract/api/credentials.ts";
import type { Transaction } from "kysely";

import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import { checkCredential, type PlainCredential } from "#byok/check-credential.ts";
import { checkKey, type KeyCheck } from "#byok/check-key.ts";
import { openSecret, sealSecret } from "#byok/seal-secret.ts";
import { changeAudited, writeAudit } from "#governance/audit.ts";
import { checkVersion, conflict, found, notFound } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import { newId } from "#lib/ids.ts";
import type { Envelope } from "#privacy/envelope.ts";
import type { PlatformPlace } from "#providers/configure-own.ts";
import {
  findCredential,
  insertCredential,
  keysWithin,
  listCredentials,
  noteTest,
  updateCredential,
  type CredentialFacts,
  type CredentialFilter,
  type StoredCredential,
} from "#store/credentials.ts";
import { destroyKeys } from "#store/encryption-keys.ts";
import { findOrganization } from "#store/organizations.ts";
import { findProject } from "#store/projects.ts";
import type { Reach } from "#store/reach.ts";
import type { CoreTables } from "#store/schema.ts";
import type { Send } from "#upstream/answer.ts";

/** What the use cases of credentials need beyond the store. */
export interface CredentialParts {
  readonly envelope: Pick<Envelope, "sealFor" | "open" | "pseudonym">;
  readonly placeOf: (provider: string) => PlatformPlace | undefined;
  readonly send: Send;
}

export const getCredential = async ({ core }: Deed, id: string): Promise<StoredCredential> =>
  found(await findCredential(core, id), "credential");

export const listCredentialsFor = (
  { core }: Deed,
  reach: Reach,
  filter: CredentialFilter,
): Promise<readonly CredentialFacts[]> => listCredentials(core, reach, filter);

/** Adds a credential; the secret is sealed before anything is written. */
export async function createCredential(
  deed: Deed,
  { envelope, placeOf }: CredentialParts,
  given: NewCredential,
): Promise<StoredCredential> {
  const id = newId("cred_", deed.now);
  const { organization_id, project_id, provider, name, position } = given;
  const secret = given.secret.trim();
  const { base_url: baseUrl, variables } = given;
  const plain: PlainCredential = {
    id,
    organizationId: organization_id,
    provider,
    secret,
    baseUrl,
    variables,
  };
  checkCredential(plain, placeOf);
  const sealed = await sealSecret(envelope, { id, organization_id }, secret);
  return changeAudited(deed, async ({ transaction, version, audit }) => {
    const place = { organizationId: organization_id, projectId: project_id };
    await checkPlace(transaction, place);
    const row: StoredCredential = {
      id,
      organization_id,
      project_id,
      provider,
      name,
      position,
      base_url: baseUrl,
      variables: JSON.stringify(variables),
      ...sealed,
      allowed_key_ids: await keysText(transaction, given.allowed_key_ids, place),
      ...attested(deed, given.attests_zero_retention),
      tested_at: null,
      test_result: null,
      created_at: deed.now,
      disabled_at: null,
      archived_at: null,
      version,
    };
    await insertCredential(transaction, row);
    await audit({ ...event("create", row), after: row });
    return row;
  });
}

const event = (what: string, { id, organization_id: organizationId }: StoredCredential) => ({
  action: `credentials.${what}`,
  target: { kind: "credential", id } as const,
  organizationId,
});

interface Place {
  readonly organizationId: string;
  readonly projectId: string | null;
}

async function checkPlace(
  transaction: Transaction<CoreTables>,
  { organizationId, projectId }: Place,
): Promise<void> {
  found(await findOrganization(transaction, organizationId), "organization", "organization_id");
  if (projectId === null) return;
  const project = await findProject(transaction, projectId);
  if (project?.organization_id !== organizationId) throw notFound("project", "project_id");
  if (project.archived_at !== null) throw conflict("project_id", "The project is archived.");
}

/** Keys of another organization or project could not use it anyway: naming them is a mistake. */
async function keysText(
  transaction: Transaction<CoreTables>,
  keyIds: readonly string[] | null,
  place: Place,
): Promise<string | null> {
  if (keyIds === null) return null;
  const within = await keysWithin(transaction, keyIds, place);
  const stranger = keyIds.find((id) => !within.has(id));
  if (stranger === undefined) return JSON.stringify(keyIds);
  throw invalidRequest("allowed_key_ids", `There is no key ${stranger} where the credential is.`);
}

const attested = (
  { actor, now }: Deed,
  attests: boolean,
): Pick<StoredCredential, "zero_retention_by" | "zero_retention_at"> => ({
  zero_retention_by: attests ? actor.name : null,
  zero_retention_at: attests ? now : null,
});

type Fields = Partial<StoredCredential>;

/** Changes what is not secret: name, order, who may use it, whether it is in force. */
export const changeCredential = (
  deed: Deed,
  id: string,
  { expected, ...change }: CredentialChange & { readonly expected?: number | undefined },
): Promise<StoredCredential> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = inUse(await findCredential(transaction, id));
    checkVersion(before, expected);
    const { organization_id: organizationId, project_id: projectId } = before;
    const { name, position, allowed_key_ids: keys, attests_zero_retention: attests } = change;
    const fields: Fields & { readonly version: number } = {
      ...(name !== undefined && { name }),
      ...(position !== undefined && { position }),
      ...(keys !== undefined && {
        allowed_key_ids: await keysText(transaction, keys, { organizationId, projectId }),
      }),
      ...(attests !== undefined &&
        attests !== (before.zero_retention_at !== null) &&
        attested(deed, attests)),
      ...disabledAt(deed, before, change.disabled),
      version,
    };
    await updateCredential(transaction, id, fields);
    const after = { ...before, ...fields };
    await audit({ ...event("update", before), before, after });
    return after;
  });

/** When it was taken out of force first stays. */
function disabledAt(
  { now }: Deed,
  before: StoredCredential,
  disabled: boolean | undefined,
): Fields {
  if (disabled === undefined || disabled === (before.disabled_at !== null)) return {};
  return { disabled_at: disabled ? now : null };
}

function inUse(row: StoredCredential | undefined): StoredCredential {
  const there = found(row, "credential");
  if (there.archived_at === null) return there;
  throw conflict("credential_id", "The credential was removed.");
}

/**
 * Gives a credential another secret, and with it, where they are given, another address: the secret
 * that it had is never sent to an address that came later.
 */
export async function rotateCredential(
  deed: Deed,
  { envelope, placeOf }: CredentialParts,
  { id, ...rotation }: CredentialRotation & { readonly id: string },
): Promise<StoredCredential> {
  const row = inUse(await findCredential(deed.core, id));
  const baseUrl = rotation.base_url === undefined ? row.base_url : rotation.base_url;
  const variables = rotation.variables ?? (JSON.parse(row.variables) as Record<string, string>);
  const secret = rotation.secret.trim();
  const { provider, organization_id: organizationId } = row;
  checkCredential({ id, organizationId, provider, secret, baseUrl, variables }, placeOf);
  const sealed = await sealSecret(envelope, row, secret);
  return changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = inUse(await findCredential(transaction, id));
    const fields = {
      ...sealed,
      base_url: baseUrl,
      variables: JSON.stringify(variables),
      tested_at: null,
      test_result: null,
      version,
    };
    await updateCredential(transaction, id, fields);
    const after = { ...before, ...fields };
    await audit({ ...event("rotate", before), before, after });
    return after;
  });
}

/** Removes a credential for good: its secret is wiped, and the key that it was sealed with destroyed. */
export async function archiveCredential(
  deed: Deed,
  { envelope }: Pick<CredentialParts, "envelope">,
  { id, expected }: { readonly id: string; readonly expected?: number | undefined },
): Promise<void> {
  const row = await changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = found(await findCredential(transaction, id), "credential");
    checkVersion(before, expected);
    if (before.archived_at !== null) return before;
    const fields = { archived_at: deed.now, sealed: new Uint8Array(0), version };
    await updateCredential(transaction, id, fields);
    await audit({ ...event("remove", before), before, after: { ...before, ...fields } });
    return before;
  });
  const organizationId = row.organization_id;
  const subject = envelope.pseudonym(organizationId, { kind: "credential", id });
  await destroyKeys(deed.core, { organizationId, purpose: "credentials", subjects: [subject] });
}

/** Asks the provider for something free with the credential, in force or not, and notes the answer. */
export async function testCredential(
  deed: Deed,
  { envelope, placeOf, send }: CredentialParts,
  id: string,
): Promise<KeyCheck> {
  const row = inUse(await findCredential(deed.core, id));
  const secret = await secretOf(envelope, row);
  const check = secret === undefined ? UNREADABLE : await ask(row, secret, { placeOf, send });
  const { outcome, detail } = check;
  await deed.core.transaction().execute(async (transaction) => {
    const result = { tested_at: deed.now, test_result: JSON.stringify({ outcome, detail }) };
    await noteTest(transaction, id, result);
    await writeAudit(transaction, deed, event("test", row));
  });
  return check;
}

const UNREADABLE: KeyCheck = {
  outcome: "unclear",
  detail: "The secret cannot be read here: it was sealed under another master key. Give it anew.",
};

async function secretOf(
  envelope: Pick<Envelope, "open">,
  row: StoredCredential,
): Promise<string | undefined> {
  try {
    return await openSecret(envelope, row);
  } catch (error) {
    // A store that cannot be read now is no fault of the credential.
    if (error instanceof GatewayError) throw error;
    return undefined;
  }
}

function ask(
  row: StoredCredential,
  secret: string,
  { placeOf, send }: Pick<CredentialParts, "placeOf" | "send">,
): Promise<KeyCheck> {
  const { id, organization_id: organizationId, provider, base_url: baseUrl } = row;
  const variables = JSON.parse(row.variables) as Record<string, string>;
  const plain = { id, organizationId, provider, secret, baseUrl, variables };
  return checkKey(checkCredential(plain, placeOf), send);
}
