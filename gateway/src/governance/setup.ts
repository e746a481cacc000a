import type { Kysely } from "kysely";

import { GatewayError } from "#canonical/failure.ts";
import { OPERATOR } from "#governance/actor.ts";
import { changeAudited, type Change } from "#governance/audit.ts";
import type { Deed } from "#governance/deed.ts";
import { checkNewPassword, hashPassword } from "#governance/password.ts";
import { newPerson, readName } from "#governance/people.ts";
import { digestOfToken, isSameText, randomToken } from "#governance/secret-token.ts";
import { newId } from "#lib/ids.ts";
import { insertMembership } from "#store/memberships.ts";
import type { CoreTables } from "#store/schema.ts";
import { finishSetup, replaceSetupNonce, setupNonce } from "#store/setup.ts";
import { hasPerson, insertUser, type StoredUser } from "#store/users.ts";

const DEFAULT_ORGANIZATION = "org_default";
const CHECK_MS = 400;

/**
 * The token by which the first person is made. It is derived, not stored: every gateway that holds
 * the master key can print the same one again, and who reads the database alone learns nothing.
 */
export async function setupToken(core: Kysely<CoreTables>, pepper: Buffer): Promise<string> {
  return digestOfToken(pepper, "setup", await setupNonce(core, randomToken()));
}

/** Another token; the one before is worth nothing any more. */
export async function renewSetupToken(core: Kysely<CoreTables>, pepper: Buffer): Promise<string> {
  const nonce = randomToken();
  await replaceSetupNonce(core, nonce);
  return digestOfToken(pepper, "setup", nonce);
}

/** Whether nobody can sign in yet, for there is no person. */
export interface SetupState {
  isNeeded(): Promise<boolean>;
  /** After a setup by this gateway: it counts at once. */
  forget(): void;
}

export function createSetupState(core: Kysely<CoreTables>, now: () => number): SetupState {
  let isDone = false;
  let checkedAt = -Infinity;
  return {
    async isNeeded() {
      if (isDone || now() - checkedAt < CHECK_MS) return !isDone;
      // People are never removed: once done is done.
      isDone = await hasPerson(core);
      checkedAt = now();
      return !isDone;
    },
    forget() {
      checkedAt = -Infinity;
    },
  };
}

export interface FirstPerson {
  readonly token: string;
  readonly email: string;
  readonly name?: string | undefined;
  readonly password: string;
}

/**
 * Makes the first person: platform admin, and owner of the default organization. Of several at once
 * one wins. Throws `forbidden` for a wrong token, `conflict` when somebody was first.
 */
export async function setUp(
  deed: Omit<Deed, "actor">,
  pepper: Buffer,
  { token, email, name: given, password }: FirstPerson,
): Promise<StoredUser> {
  if (await hasPerson(deed.core)) throw new GatewayError(DONE);
  if (!isSameText(token, await setupToken(deed.core, pepper))) throw new GatewayError(WRONG_TOKEN);
  const name = readName(given, email);
  checkNewPassword(password, email);
  const passwordHash = await hashPassword(password);
  return changeAudited({ ...deed, actor: SETUP }, async (change) => {
    const isFirst = await finishSetup(change.transaction, deed.now);
    if (!isFirst || (await hasPerson(change.transaction))) throw new GatewayError(DONE);
    const user: StoredUser = {
      ...newPerson({ email, name, now: deed.now, version: change.version }),
      password_hash: passwordHash,
      is_platform_admin: 1,
    };
    await insertUser(change.transaction, user);
    await makeOwner(change, user, deed.now);
    const target = { kind: "user", id: user.id } as const;
    await change.audit({ action: "setup", target, organizationId: null, after: user });
    return user;
  });
}

const makeOwner = (
  { transaction, version }: Change,
  user: StoredUser,
  now: number,
): Promise<unknown> =>
  insertMembership(transaction, {
    id: newId("mem_", now),
    user_id: user.id,
    organization_id: DEFAULT_ORGANIZATION,
    team_id: null,
    role: "owner",
    source: "manual",
    created_at: now,
    version,
  });

/** Whoever has the token has the machine's output: as much as its command line. */
const SETUP = { ...OPERATOR, name: "setup token" };

const DONE = {
  code: "conflict",
  message: "The gateway is set up already. Sign in, or ask for an invitation.",
} as const;

const WRONG_TOKEN = {
  code: "forbidden",
  field: "token",
  message:
    "This is not the setup token. The gateway prints it when it starts; `turnpike setup-token` prints another one.",
} as const;
