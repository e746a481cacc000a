import { invalidRequest } from "#canonical/failure.ts";
import { newId } from "#lib/ids.ts";
import type { StoredUser } from "#store/users.ts";

const MAX_EMAIL = 254;

/** An address as it is stored: trimmed, in lower case. Throws `invalid_request`. */
export function readEmail(text: string, field = "email"): string {
  const email = text.trim().toLowerCase();
  if (email.length <= MAX_EMAIL && /^[^\s@<>"]+@[^\s@<>".]+(?:\.[^\s@<>".]+)*$/.test(email)) {
    return email;
  }
  throw invalidRequest(field, "This is not an e-mail address.");
}

interface PersonFacts {
  readonly email: string | null;
  readonly name: string;
  readonly now: number;
  readonly version: number;
}

/** A person without any way to sign in and without any role yet. */
export const newPerson = ({ email, name, now, version }: PersonFacts): StoredUser => ({
  id: newId("user_", now),
  kind: "person",
  organization_id: null,
  email,
  name,
  password_hash: null,
  oidc_issuer: null,
  oidc_subject: null,
  is_platform_admin: 0,
  created_at: now,
  disabled_at: null,
  version,
});
