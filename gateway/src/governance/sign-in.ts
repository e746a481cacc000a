import { GatewayError } from "#canonical/failure.ts";
import type { Actor } from "#governance/actor.ts";
import { changeAudited, writeAudit } from "#governance/audit.ts";
import type { Deed } from "#governance/deed.ts";
import { checkNewPassword, checkPassword, hashPassword } from "#governance/password.ts";
import { startSession, type NewSession } from "#governance/sessions.ts";
import type { SignInThrottle } from "#governance/sign-in-throttle.ts";
import { deleteSessionsOf } from "#store/sessions.ts";
import {
  findUser,
  findUserByEmail,
  replacePasswordHash,
  updateUser,
  type StoredUser,
} from "#store/users.ts";

/** What a sign-in is given: a deed of somebody who is not known yet. */
export type Attempt = Omit<Deed, "actor"> & { readonly pepper: Buffer };

export interface SignedIn {
  readonly user: StoredUser;
  readonly session: NewSession;
}

interface Credentials {
  /** In lower case. */
  readonly email: string;
  readonly password: string;
}

/**
 * Signs in by e-mail address and password. Throws `unauthenticated` in the same words and the same
 * time whatever was wrong, `rate_limited` after too many failures.
 */
export async function signIn(
  attempt: Attempt,
  throttle: SignInThrottle,
  { email, password }: Credentials,
): Promise<SignedIn> {
  const { core, ip } = attempt;
  const running = throttle.begin(email, ip ?? "");
  const user = await findUserByEmail(core, email);
  const { isRight, isOutdated } = await checkPassword(password, user?.password_hash ?? null);
  if (user === undefined || user.disabled_at !== null || !isRight) {
    await auditRefusal(attempt, { name: email, userId: user?.id });
    throw new GatewayError(WRONG);
  }
  running.succeeded();
  if (isOutdated) await improveHash(attempt, user, password);
  const session = await openSession(attempt, user, "password");
  return { user, session };
}

/** Starts a session for somebody who has shown who they are, and tells the audit log. */
export const openSession = (
  { pepper, ...attempt }: Attempt,
  user: StoredUser,
  how: "password" | "oidc" | "invitation" | "setup" | "reset",
): Promise<NewSession> =>
  attempt.core.transaction().execute(async (transaction) => {
    const session = await startSession(transaction, { userId: user.id, pepper, now: attempt.now });
    const actor = personActor(user, session.id);
    const target = { kind: "session", id: session.id } as const;
    await writeAudit(
      transaction,
      { ...attempt, actor },
      {
        action: `session.start.${how}`,
        target,
        organizationId: null,
        after: { user_id: user.id },
      },
    );
    return session;
  });

/** Ends all sessions of the actor. */
export const signOut = (deed: Deed): Promise<void> =>
  deed.core.transaction().execute(async (transaction) => {
    const { userId, via } = deed.actor;
    if (userId === null) return;
    await deleteSessionsOf(transaction, userId);
    const target = { kind: "session", id: via.id } as const;
    await writeAudit(transaction, deed, {
      action: "session.end",
      target,
      organizationId: null,
      before: { user_id: userId },
    });
  });

interface PasswordChange {
  readonly current: string;
  readonly next: string;
}

/**
 * Gives the actor another password and ends all of its sessions. The current one is asked for: a
 * browser left open must not be enough. Throws `forbidden`, `invalid_request`, `rate_limited`.
 */
export async function changePassword(
  deed: Deed,
  throttle: SignInThrottle,
  { current, next }: PasswordChange,
): Promise<StoredUser> {
  const user = await findUser(deed.core, deed.actor.userId ?? "");
  if (user?.kind !== "person" || deed.actor.via.kind !== "session") {
    throw new GatewayError({
      code: "forbidden",
      message: "Only signed-in people have a password.",
    });
  }
  const running = throttle.begin(user.email ?? user.id, deed.ip ?? "");
  const { isRight } = await checkPassword(current, user.password_hash);
  if (!isRight) {
    const message = "The current password is not right.";
    throw new GatewayError({ code: "forbidden", field: "current_password", message });
  }
  running.succeeded();
  checkNewPassword(next, user.email);
  return setPassword(deed, user, next);
}

/** Sets a password and ends all sessions. */
async function setPassword(deed: Deed, user: StoredUser, next: string): Promise<StoredUser> {
  const passwordHash = await hashPassword(next);
  return changeAudited(deed, async ({ transaction, version, audit }) => {
    const after = { ...user, password_hash: passwordHash, version };
    await updateUser(transaction, user.id, { password_hash: passwordHash, version });
    await deleteSessionsOf(transaction, user.id);
    const target = { kind: "user", id: user.id } as const;
    await audit({ action: "users.password", target, organizationId: null });
    return after;
  });
}

async function improveHash({ core }: Attempt, user: StoredUser, password: string): Promise<void> {
  const to = await hashPassword(password);
  await replacePasswordHash(core, user.id, { from: user.password_hash ?? "", to });
}

interface Refused {
  /** Who it claims to be: the address that was typed, never what was typed as password. */
  readonly name: string;
  readonly userId: string | undefined;
}

/** Sign-ins that fail are told, too. */
export const auditRefusal = (
  { pepper: _pepper, ...attempt }: Attempt,
  { name, userId = "unknown" }: Refused,
): Promise<void> =>
  attempt.core.transaction().execute((transaction) =>
    writeAudit(
      transaction,
      { ...attempt, actor: strangerActor(name) },
      {
        action: "session.refused",
        target: { kind: "user", id: userId },
        organizationId: null,
      },
    ),
  );

const personActor = (user: StoredUser, sessionId: string): Actor => ({
  kind: "person",
  userId: user.id,
  name: user.email ?? user.name,
  isPlatformAdmin: user.is_platform_admin === 1,
  memberships: [],
  via: { kind: "session", id: sessionId },
});

/** Somebody who claims to be somebody, for the audit log: may do nothing. */
export const strangerActor = (name: string): Actor => ({
  kind: "person",
  userId: null,
  name,
  isPlatformAdmin: false,
  memberships: [],
  via: { kind: "session", id: "none" },
});

const WRONG = {
  code: "unauthenticated",
  message: "E-mail address or password is not right.",
} as const;
