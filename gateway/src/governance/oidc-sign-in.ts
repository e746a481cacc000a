import type { OidcSection } from "@turnpike/contract/config-auth.ts";

import { GatewayError } from "#canonical/failure.ts";
import { changeAudited, type Change } from "#governance/audit.ts";
import { applyGroupRoles, rolesOfGroups, type GroupRole } from "#governance/oidc-roles.ts";
import type { OidcIdentity } from "#governance/oidc-provider.ts";
import { foreignName, newPerson } from "#governance/people.ts";
import { auditRefusal, strangerActor, type Attempt } from "#governance/sign-in.ts";
import { activeMembershipsOf } from "#store/memberships.ts";
import {
  findUserByEmail,
  findUserBySubject,
  insertUser,
  updateUser,
  type StoredUser,
} from "#store/users.ts";

/**
 * The account of somebody whom the provider knows: found, linked or made, with the roles that the
 * groups give now. Throws `forbidden` in words for the page.
 */
export async function enterByOidc(
  attempt: Attempt,
  settings: OidcSection,
  identity: OidcIdentity,
): Promise<StoredUser> {
  const name = identity.email ?? subjectName(identity);
  try {
    checkDomain(settings, identity);
    const user = await changeAudited({ ...attempt, actor: strangerActor(name) }, (change) =>
      enter(change, { settings, identity, now: attempt.now }),
    );
    // Outside of the change: roles that were lost stay lost.
    if (user === undefined) throw forbidden(NO_ROLE);
    return user;
  } catch (error) {
    if (error instanceof GatewayError && error.failure.code === "forbidden") {
      await auditRefusal(attempt, { name, userId: undefined });
    }
    throw error;
  }
}

function checkDomain({ allowedDomains }: OidcSection, identity: OidcIdentity): void {
  if (allowedDomains === undefined) return;
  const domain = identity.email?.split("@").at(-1);
  const isAllowed = allowedDomains.some((allowed) => allowed.toLowerCase() === domain);
  if (!isAllowed) throw forbidden("Addresses of your domain may not sign in here.");
  if (!identity.isEmailVerified) throw forbidden("Your address is not verified at the provider.");
}

interface Entering {
  readonly settings: OidcSection;
  readonly identity: OidcIdentity;
  readonly now: number;
}

/** `undefined`: nothing gives the person any role. */
async function enter(change: Change, entering: Entering): Promise<StoredUser | undefined> {
  const { settings, identity, now } = entering;
  const roles = await rolesOfGroups(change.transaction, settings, identity.groups);
  const known = await knownUser(change, entering);
  if (known?.disabled_at !== null && known !== undefined) {
    throw forbidden("Your account is disabled.");
  }
  const user = known ?? (await makeUser(change, entering, roles));
  if (user === undefined) return undefined;
  await applyGroupRoles(change, { user, roles, now });
  if (user.is_platform_admin === 1) return user;
  const memberships = await activeMembershipsOf(change.transaction, user.id);
  return memberships.length > 0 ? user : undefined;
}

/** By issuer and subject; by a verified address only where the settings say so. */
async function knownUser(
  change: Change,
  { settings, identity }: Entering,
): Promise<StoredUser | undefined> {
  const { transaction, version, audit } = change;
  const { issuer, subject, email } = identity;
  const linked = await findUserBySubject(transaction, issuer, subject);
  if (linked !== undefined || email === null) return linked;
  const before = await findUserByEmail(transaction, email);
  if (before === undefined) return undefined;
  const mayLink =
    settings.linkByEmail === true && identity.isEmailVerified && before.oidc_subject === null;
  if (!mayLink) throw forbidden(ADDRESS_TAKEN);
  const after = { ...before, oidc_issuer: issuer, oidc_subject: subject, version };
  await updateUser(transaction, before.id, after);
  const target = { kind: "user", id: before.id } as const;
  await audit({ action: "users.link", target, organizationId: null, before, after });
  return after;
}

async function makeUser(
  { transaction, version, audit }: Change,
  { settings, identity, now }: Entering,
  roles: readonly GroupRole[],
): Promise<StoredUser | undefined> {
  if (roles.length === 0) return undefined;
  if (settings.autoCreate === false) throw forbidden(NOT_INVITED);
  const { issuer, subject, name } = identity;
  // An address that nobody has checked is nobody's: invitations go by it.
  const email = identity.isEmailVerified ? identity.email : null;
  const user: StoredUser = {
    ...newPerson({ email, name: name ?? email ?? subjectName(identity), now, version }),
    oidc_issuer: issuer,
    oidc_subject: subject,
  };
  await insertUser(transaction, user);
  const target = { kind: "user", id: user.id } as const;
  await audit({ action: "users.create", target, organizationId: null, after: user });
  return user;
}

const subjectName = ({ subject }: OidcIdentity): string => foreignName(subject) ?? "nameless";

const forbidden = (message: string): GatewayError =>
  new GatewayError({ code: "forbidden", message });

const NO_ROLE =
  "You are known, but none of your groups has a role here. Ask whoever runs the gateway.";
const NOT_INVITED = "You have no account here yet. Ask whoever runs the gateway for an invitation.";
const ADDRESS_TAKEN =
  "There is an account with your address that signs in otherwise. Ask whoever runs the gateway.";
