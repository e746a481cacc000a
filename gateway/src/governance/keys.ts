import type { KeyChange, KeyView, NewKeyBody } from "@turnpike/contract/api/keys.ts";
import type { KeySettings } from "@turnpike/contract/governance.ts";

import { invalidRequest } from "#canonical/failure.ts";
import { changeAudited, type Change } from "#governance/audit.ts";
import {
  checkFuture,
  checkVersion,
  type Versioned,
  conflict,
  definedOnly,
  found,
  notFound,
  timeOrNull,
  timeText,
} from "#governance/checks.ts";
import { newKey, rotateKeyAt } from "#governance/create-key.ts";
import type { Deed } from "#governance/deed.ts";
import { readAddressRanges } from "#governance/ip-ranges.ts";
import { can } from "#governance/permissions.ts";
import { notAllowed } from "#governance/reach.ts";
import {
  endEarlierSecrets,
  findKeyRow,
  hasActiveName,
  listKeyRows,
  updateKeyRow,
  type KeyRow,
} from "#store/key-rows.ts";
import { insertKeyAt } from "#store/keys.ts";
import { membershipsOf } from "#store/memberships.ts";
import { findProject, type StoredProject } from "#store/projects.ts";
import { findUser } from "#store/users.ts";

export function keyView(row: KeyRow, now: number): KeyView {
  return {
    object: "key",
    id: row.id,
    organization_id: row.organization_id,
    project_id: row.project_id,
    owner_id: row.owner_id,
    name: row.name,
    hint: row.hint,
    state: stateOf(row, now),
    settings: JSON.parse(row.settings) as KeySettings,
    created_at: timeText(row.created_at),
    expires_at: timeOrNull(row.expires_at),
    disabled_at: timeOrNull(row.disabled_at),
    revoked_at: timeOrNull(row.revoked_at),
    last_used_at: timeOrNull(row.last_used_at),
  };
}

function stateOf(row: KeyRow, now: number): KeyView["state"] {
  if (row.revoked_at !== null) return "revoked";
  if (row.expires_at !== null && row.expires_at <= now) return "expired";
  return row.disabled_at === null ? "active" : "disabled";
}

export interface ShownKey {
  /** The key itself: to be shown once. */
  readonly key: string;
  readonly row: KeyRow;
}

/** A key by its id. Earlier secrets of rotated keys are no keys of their own. */
export async function getKey({ core }: Pick<Deed, "core">, id: string): Promise<KeyRow> {
  const row = await findKeyRow(core, id);
  if (row === undefined || row.replaced_by !== null) throw notFound("key");
  return row;
}

export const listKeysFor = (
  { core }: Deed,
  wanted: Parameters<typeof listKeyRows>[1],
): Promise<readonly KeyRow[]> => listKeyRows(core, wanted);

/** Who owns a key that is made without a word on it: whoever makes it. */
export const ownerOfNewKey = ({ actor }: Deed, ownerId: string | null | undefined): string | null =>
  ownerId === undefined ? actor.userId : ownerId;

/** Makes a key. Throws `conflict` for a name in use and an archived project, `not_found` for strangers. */
export const createKeyFor = (deed: Deed, pepper: Buffer, wanted: NewKeyBody): Promise<ShownKey> =>
  changeAudited(deed, async (change) => {
    const { transaction, version, audit } = change;
    const project = found(
      await findProject(transaction, wanted.project_id),
      "project",
      "project_id",
    );
    if (project.archived_at !== null) throw conflict("project_id", "The project is archived.");
    const ownerId = ownerOfNewKey(deed, wanted.owner_id);
    const expiresAt = readTime(wanted.expires_at);
    checkFuture("expires_at", expiresAt, deed.now);
    checkIpRanges(wanted.settings?.ipRanges);
    await checkOwner(change, project, ownerId);
    await checkName(change, { projectId: project.id, name: wanted.name });
    const { key, stored } = newKey(pepper, {
      name: wanted.name,
      now: deed.now,
      organizationId: project.organization_id,
      projectId: project.id,
      ...(ownerId !== null && { ownerId }),
      ...(wanted.settings !== undefined && { settings: wanted.settings }),
      ...(expiresAt !== null && { expiresAt }),
    });
    await insertKeyAt(transaction, stored, version);
    const row = found(await findKeyRow(transaction, stored.id), "key");
    await audit({ action: "keys.create", ...targetOf(row), after: row });
    return { key, row };
  });

const readTime = (time: string | null): number | null => (time === null ? null : Date.parse(time));

const targetOf = (row: KeyRow) =>
  ({ target: { kind: "key", id: row.id }, organizationId: row.organization_id }) as const;

/** Keys are for people and service accounts of the organization; its platform admins may own them, too. */
async function checkOwner(
  { transaction }: Change,
  project: StoredProject,
  ownerId: string | null,
): Promise<void> {
  if (ownerId === null) return;
  const [user, memberships] = await Promise.all([
    findUser(transaction, ownerId),
    membershipsOf(transaction, ownerId),
  ]);
  const organizationId = project.organization_id;
  const belongs =
    user?.is_platform_admin === 1 ||
    memberships.some((membership) => membership.organization_id === organizationId);
  if (user === undefined || user.disabled_at !== null || !belongs) {
    throw notFound("member", "owner_id");
  }
}

async function checkName(
  { transaction }: Change,
  named: Parameters<typeof hasActiveName>[1],
): Promise<void> {
  if (!(await hasActiveName(transaction, named))) return;
  throw conflict("name", "Another key in force of the project has this name.");
}

/** A key that can still be changed. */
async function liveKey({ transaction }: Change, id: string): Promise<KeyRow> {
  const row = await getKey({ core: transaction }, id);
  if (row.revoked_at !== null) throw conflict("key_id", "The key was revoked, and stays so.");
  return row;
}

/** Changes name, owner, end or settings. Who may change only their own keys keeps them their own. */
export const changeKey = (
  deed: Deed,
  id: string,
  { expected, ...wanted }: KeyChange & Versioned,
): Promise<KeyRow> =>
  changeAudited(deed, async (change) => {
    const before = await liveKey(change, id);
    checkVersion(before, expected);
    const { name, owner_id: ownerId, expires_at, settings } = wanted;
    const expiresAt = expires_at === undefined ? undefined : readTime(expires_at);
    checkFuture("expires_at", expiresAt, deed.now);
    checkIpRanges(settings?.ipRanges);
    if (ownerId !== undefined && ownerId !== before.owner_id) {
      await checkHandOver(change, deed, { row: before, ownerId });
    }
    if (name !== undefined && name !== before.name) {
      await checkName(change, { projectId: before.project_id, name, except: id });
    }
    const fields = {
      ...definedOnly({ name, owner_id: ownerId, expires_at: expiresAt }),
      ...(settings !== undefined && { settings: JSON.stringify(settings) }),
    };
    return writeKey(change, { action: "keys.update", before, fields });
  });

interface HandOver {
  readonly row: KeyRow;
  readonly ownerId: string | null;
}

async function checkHandOver(
  change: Change,
  { actor }: Deed,
  { row, ownerId }: HandOver,
): Promise<void> {
  const project = found(await findProject(change.transaction, row.project_id), "project");
  const place = { organizationId: row.organization_id, teamId: project.team_id, ownerId };
  if (!can(actor, "keys.write", place)) throw notAllowed(actor, "keys.write");
  await checkOwner(change, project, ownerId);
}

interface KeyWrite {
  readonly action: string;
  readonly before: KeyRow;
  readonly fields: Partial<KeyRow>;
}

async function writeKey(
  { transaction, version, audit }: Change,
  { action, before, fields }: KeyWrite,
): Promise<KeyRow> {
  const after = { ...before, ...fields, version };
  await updateKeyRow(transaction, before.id, { ...fields, version });
  await audit({ action, ...targetOf(before), before, after });
  return after;
}

/** Puts a key out of force for a time. Earlier secrets of it are that key, and refused with it. */
export const disableKey = (deed: Deed, id: string): Promise<KeyRow> =>
  changeAudited(deed, async (change) => {
    const before = await liveKey(change, id);
    if (before.disabled_at !== null) return before;
    const fields = { disabled_at: deed.now };
    return writeKey(change, { action: "keys.disable", before, fields });
  });

/**
 * Puts a key back in force. Its owner's right to their own keys does not suffice: it may have been an
 * admin who disabled it.
 */
export const enableKey = (deed: Deed, id: string): Promise<KeyRow> =>
  changeAudited(deed, async (change) => {
    const before = await liveKey(change, id);
    const project = await findProject(change.transaction, before.project_id);
    const place = { organizationId: before.organization_id, teamId: project?.team_id ?? null };
    if (!can(deed.actor, "keys.write", place)) throw notAllowed(deed.actor, "keys.write");
    if (before.disabled_at === null) return before;
    return writeKey(change, { action: "keys.enable", before, fields: { disabled_at: null } });
  });

/** Takes a key out of force for good, its earlier secrets, too. */
export const revokeKey = (deed: Deed, id: string, { expected }: Versioned = {}): Promise<KeyRow> =>
  changeAudited(deed, async (change) => {
    const before = await getKey({ core: change.transaction }, id);
    checkVersion(before, expected);
    if (before.revoked_at !== null) return before;
    await endEarlierSecrets(change.transaction, id, {
      revoked_at: deed.now,
      version: change.version,
    });
    return writeKey(change, { action: "keys.revoke", before, fields: { revoked_at: deed.now } });
  });

/** Gives a key another secret; the one that it had works on for the overlap. */
export const rotateKeyFor = (
  deed: Deed,
  pepper: Buffer,
  { id, overlapSeconds }: { readonly id: string; readonly overlapSeconds: number },
): Promise<ShownKey> =>
  changeAudited(deed, async (change) => {
    const before = await liveKey(change, id);
    const rotation = { id, now: deed.now, overlapMs: overlapSeconds * 1_000 };
    const { key } = await rotateKeyAt(change, pepper, rotation);
    const row = await getKey({ core: change.transaction }, id);
    await change.audit({ action: "keys.rotate", ...targetOf(row), before, after: row });
    return { key, row };
  });

/** The key that a name or an id means, for people at a terminal. */
export async function findKeyNamed(deed: Deed, nameOrId: string): Promise<KeyRow> {
  if (nameOrId.startsWith("key_")) return getKey(deed, nameOrId);
  const rows = await listKeyRows(deed.core, {
    reach: "all",
    name: nameOrId,
    revoked: false,
    limit: 2,
  });
  const [row, second] = rows;
  if (row === undefined) throw invalidRequest("key", `there is no active key "${nameOrId}"`);
  if (second !== undefined) {
    throw invalidRequest("key", `several projects have a key "${nameOrId}"; name it by its id`);
  }
  return row;
}

/** Throws `invalid_request` for what is neither an address nor a CIDR range. */
function checkIpRanges(ranges: readonly string[] | undefined): void {
  for (const [at, range] of (ranges ?? []).entries()) {
    try {
      readAddressRanges([range]);
    } catch {
      const field = `settings.ipRanges.${at}`;
      throw invalidRequest(field, `${field} must be an address or a range such as 10.0.0.0/8.`);
    }
  }
}
