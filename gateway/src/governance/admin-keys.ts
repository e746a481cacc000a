import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import type { Actor } from "#governance/actor.ts";
import { changeAudited } from "#governance/audit.ts";
import { readScopes } from "#governance/authenticate-actor.ts";
import { checkVersion, type Versioned } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import { refusalOfAdminKey } from "#governance/grants.ts";
import { can, type Scope } from "#governance/permissions.ts";
import { digestOfToken, generateAdminKey, hintOfAdminKey } from "#governance/secret-token.ts";
import { newId } from "#lib/ids.ts";
import {
  findAdminKey,
  insertAdminKey,
  listStoredAdminKeys,
  revokeStoredAdminKey,
  type StoredAdminKey,
} from "#store/admin-keys.ts";
import { activeMembershipsOf } from "#store/memberships.ts";
import { findUser } from "#store/users.ts";

interface NewAdminKey {
  readonly name: string;
  /** `null`: all organizations of its owner; only platform admins make such a key. */
  readonly organizationId: string | null;
  /** Whose it is: oneself, or a service account. */
  readonly ownerId: string;
  /** What it may do where its owner may; never empty. */
  readonly scopes: ReadonlySet<Scope>;
  /** Milliseconds; `null`: never. */
  readonly expiresAt: number | null;
}

/**
 * Makes an admin key; the key itself is given this once. Throws `forbidden` or `invalid_request` with
 * the field that asks for more than the actor holds.
 */
export const createAdminKey = (
  deed: Deed,
  pepper: Buffer,
  wanted: NewAdminKey,
): Promise<{ readonly key: string; readonly stored: StoredAdminKey }> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const { organizationId, ownerId, scopes, expiresAt } = wanted;
    checkWanted(deed, wanted);
    const owner = await findUser(transaction, ownerId);
    const isForeign = owner?.kind === "service" && owner.organization_id !== organizationId;
    if (owner === undefined || owner.disabled_at !== null || isForeign) {
      throw invalidRequest("owner_id", "There is no such service account or person here.");
    }
    const memberships = (await activeMembershipsOf(transaction, ownerId)).map((membership) => ({
      organizationId: membership.organization_id,
      teamId: membership.team_id,
      role: membership.role,
    }));
    const refusal = refusalOfAdminKey(deed.actor, {
      organizationId,
      scopes,
      expiresAt,
      owner: { id: owner.id, kind: owner.kind, memberships },
    });
    if (refusal !== undefined) {
      throw new GatewayError({
        code: "forbidden",
        field: refusal.field,
        message: refusal.reason,
      });
    }
    const key = generateAdminKey();
    const stored: StoredAdminKey = {
      id: newId("akey_", deed.now),
      organization_id: organizationId,
      user_id: ownerId,
      name: wanted.name,
      digest: digestOfToken(pepper, "admin-key", key),
      hint: hintOfAdminKey(key),
      scopes: JSON.stringify([...scopes].toSorted()),
      created_at: deed.now,
      expires_at: expiresAt,
      revoked_at: null,
      last_used_at: null,
      version,
    };
    await insertAdminKey(transaction, stored);
    const target = { kind: "admin-key", id: stored.id } as const;
    await audit({ action: "admin-keys.create", target, organizationId, after: stored });
    return { key, stored };
  });

function checkWanted({ actor, now }: Deed, wanted: NewAdminKey): void {
  const { organizationId, ownerId, scopes, expiresAt } = wanted;
  if (scopes.size === 0) throw invalidRequest("scopes", "An admin key needs at least one scope.");
  if (expiresAt !== null && expiresAt <= now) {
    throw invalidRequest("expires_at", "The time has passed already.");
  }
  const isAllowed =
    organizationId === null
      ? actor.isPlatformAdmin && actor.organizationId === undefined
      : canTouch(actor, "admin-keys.write", { organizationId, ownerId });
  if (isAllowed) return;
  throw new GatewayError({
    code: "forbidden",
    message: "You may not make admin keys there.",
  });
}

/** Whether the actor may do it at the organization, or, to its own, at any of its teams. */
function canTouch(
  actor: Actor,
  action: "admin-keys.read" | "admin-keys.write",
  { organizationId, ownerId }: { readonly organizationId: string; readonly ownerId: string },
): boolean {
  const teams = actor.memberships.filter(
    (membership) => membership.organizationId === organizationId,
  );
  return [null, ...teams.map(({ teamId }) => teamId)].some((teamId) =>
    can(actor, action, { organizationId, teamId, ownerId }),
  );
}

/** The admin keys of an organization (`null`: of the platform) that the actor may see. */
export async function listAdminKeys(
  { core, actor }: Pick<Deed, "core" | "actor">,
  organizationId: string | null,
): Promise<readonly StoredAdminKey[]> {
  const keys = await listStoredAdminKeys(core, organizationId);
  return keys.filter((key) => isVisible(actor, key, "admin-keys.read"));
}

/**
 * Takes an admin key out of force, within a second on every gateway. Throws `not_found`, `forbidden`,
 * `precondition_failed`.
 */
export const revokeAdminKey = (
  deed: Deed,
  id: string,
  { expected }: Versioned = {},
): Promise<void> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = await findAdminKey(transaction, id);
    if (before === undefined || !isVisible(deed.actor, before, "admin-keys.read")) {
      throw new GatewayError({ code: "not_found", message: "There is no such admin key." });
    }
    if (!isVisible(deed.actor, before, "admin-keys.write")) {
      throw new GatewayError({ code: "forbidden", message: "You may not revoke this admin key." });
    }
    checkVersion(before, expected);
    if (before.revoked_at !== null) return;
    const after = { ...before, revoked_at: deed.now, version };
    await revokeStoredAdminKey(transaction, id, { revokedAt: deed.now, version });
    const target = { kind: "admin-key", id } as const;
    const organizationId = before.organization_id;
    await audit({ action: "admin-keys.revoke", target, organizationId, before, after });
  });

function isVisible(
  actor: Actor,
  key: StoredAdminKey,
  action: "admin-keys.read" | "admin-keys.write",
): boolean {
  if (key.organization_id === null) return can(actor, action, { organizationId: null });
  return canTouch(actor, action, { organizationId: key.organization_id, ownerId: key.user_id });
}

/** The scopes of a stored key, in the order of the table of actions. */
export const scopesOf = (key: StoredAdminKey): readonly Scope[] => [...readScopes(key.scopes)];
