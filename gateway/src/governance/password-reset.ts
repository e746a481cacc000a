import { GatewayError, type Failure } from "#canonical/failure.ts";
import { changeAudited, type Change } from "#governance/audit.ts";
import type { Deed } from "#governance/deed.ts";
import { checkMayGiveRole } from "#governance/grants.ts";
import { checkNewPassword, hashPassword } from "#governance/password.ts";
import { readEmail } from "#governance/people.ts";
import { belongsTo } from "#governance/permissions.ts";
import { digestOfToken, isSameText } from "#governance/secret-token.ts";
import { strangerActor } from "#governance/sign-in.ts";
import { findMembership, membershipsOf } from "#store/memberships.ts";
import { deleteSessionsOf } from "#store/sessions.ts";
import { findUser, findUserByEmail, updateUser, type StoredUser } from "#store/users.ts";

const VALID_MS = 60 * 60_000;

export interface ResetLink {
  /** For the link; it is shown this once. */
  readonly token: string;
  readonly userId: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/**
 * Makes a one-time link by which the holder of an address gives themself another password: for whoever
 * has the machine. Throws `not_found`, and `conflict` for who is disabled.
 */
export const makeResetLink = (deed: Deed, pepper: Buffer, email: string): Promise<ResetLink> =>
  changeAudited(deed, async (change) => {
    const user = await findUserByEmail(change.transaction, readEmail(email));
    if (user === undefined) throw noSuch("person with this address");
    return issue(change, { deed, pepper, user, organizationId: null });
  });

/**
 * The same for a member, by an owner of the organization. Whoever has the link is that member: so the
 * owner must be able to do, everywhere, all that the member may. Throws `not_found`, `forbidden`,
 * `conflict` (disabled, or without any password: single sign-on must not be led around).
 */
export const makeMemberResetLink = (
  deed: Deed,
  pepper: Buffer,
  membershipId: string,
): Promise<ResetLink> =>
  changeAudited(deed, async (change) => {
    const { transaction } = change;
    const membership = await findMembership(transaction, membershipId);
    if (membership === undefined || !belongsTo(deed.actor, membership.organization_id)) {
      throw noSuch("member");
    }
    const user = await findUser(transaction, membership.user_id);
    if (user === undefined) throw noSuch("member");
    await checkIsBelow(change, deed, user);
    if (user.password_hash === null) throw new GatewayError(NO_PASSWORD);
    return issue(change, { deed, pepper, user, organizationId: membership.organization_id });
  });

async function checkIsBelow(
  { transaction }: Change,
  { actor }: Deed,
  user: StoredUser,
): Promise<void> {
  if (user.is_platform_admin === 1 && !actor.isPlatformAdmin) throw new GatewayError(ABOVE);
  for (const { organization_id, team_id, role } of await membershipsOf(transaction, user.id)) {
    checkMayGiveRole(actor, { organizationId: organization_id, teamId: team_id, role });
  }
}

interface Issue {
  readonly deed: Deed;
  readonly pepper: Buffer;
  readonly user: StoredUser;
  readonly organizationId: string | null;
}

/**
 * The token is derived from the user's row, not stored: it is worth nothing once that row has changed,
 * be it by the password that it was for, by another link, or by being disabled.
 */
async function issue(
  { transaction, version, audit }: Change,
  { deed, pepper, user, organizationId }: Issue,
): Promise<ResetLink> {
  if (user.kind !== "person") throw noSuch("person");
  if (user.disabled_at !== null) throw new GatewayError(DISABLED);
  await updateUser(transaction, user.id, { version });
  const expiresAt = deed.now + VALID_MS;
  const target = { kind: "user", id: user.id } as const;
  await audit({ action: "users.reset-link", target, organizationId });
  const token = `${user.id}.${expiresAt}.${digestFor(pepper, { id: user.id, version }, expiresAt)}`;
  return { token, userId: user.id, expiresAt };
}

const digestFor = (
  pepper: Buffer,
  { id, version }: Pick<StoredUser, "id" | "version">,
  expiresAt: number,
): string => digestOfToken(pepper, "password-reset", `${id}.${expiresAt}.${version}`);

/** Whose link it is. Throws `not_found` in the same words for all that are not in force. */
export async function openReset(
  { core, now }: Pick<Deed, "core" | "now">,
  pepper: Buffer,
  token: string,
): Promise<StoredUser> {
  const [id = "", until = "", digest = ""] = token.split(".");
  const user =
    /^\d{1,15}$/.test(until) && Number(until) > now ? await findUser(core, id) : undefined;
  const isRight =
    user !== undefined &&
    user.disabled_at === null &&
    isSameText(digest, digestFor(pepper, user, Number(until)));
  if (!isRight) throw new GatewayError(NOT_OPEN);
  return user;
}

/** Gives the holder of a link another password, and ends all of their sessions. Throws `not_found`. */
export async function resetPassword(
  deed: Omit<Deed, "actor">,
  pepper: Buffer,
  { token, password }: { readonly token: string; readonly password: string },
): Promise<StoredUser> {
  const known = await openReset(deed, pepper, token);
  checkNewPassword(password, known.email);
  const passwordHash = await hashPassword(password);
  const actor = strangerActor(known.email ?? known.name);
  return changeAudited({ ...deed, actor }, async ({ transaction, version, audit }) => {
    // Of two that use a link at once the second finds it used.
    const user = await openReset({ core: transaction, now: deed.now }, pepper, token);
    await updateUser(transaction, user.id, { password_hash: passwordHash, version });
    await deleteSessionsOf(transaction, user.id);
    const target = { kind: "user", id: user.id } as const;
    await audit({ action: "users.password.reset", target, organizationId: null });
    return { ...user, password_hash: passwordHash, version };
  });
}

const noSuch = (what: string): GatewayError =>
  new GatewayError({ code: "not_found", message: `There is no such ${what}.` });

const NOT_OPEN: Failure = {
  code: "not_found",
  message: "The link was used, replaced by another one, or has expired. Ask for another one.",
};

const DISABLED: Failure = {
  code: "conflict",
  message: "This person is disabled. Enable them first.",
};

const NO_PASSWORD: Failure = {
  code: "conflict",
  message:
    "This member has no password: they sign in by single sign-on. The operator can make them a link (`turnpike users reset-password`).",
};

const ABOVE: Failure = {
  code: "forbidden",
  message:
    "This member administers the platform. Only platform admins make them a link, or the operator (`turnpike users reset-password`).",
};
