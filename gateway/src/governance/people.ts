import { nameSchema } from "@turnpike/contract/governance.ts";

import { invalidRequest } from "#canonical/failure.ts";
import { newId } from "#lib/ids.ts";
import { issueText } from "#lib/issue-text.ts";
import type { StoredUser } from "#store/users.ts";

const MAX_EMAIL = 254;

/** Of neither side of an address, nor of a name: what a terminal would obey. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** An address as it is stored: trimmed, in lower case; `undefined`: it is none. */
export function emailOf(text: string): string | undefined {
  const email = text.trim().toLowerCase();
  const isEmail =
    email.length <= MAX_EMAIL &&
    /^[^\s@<>"]+@[^\s@<>".]+(?:\.[^\s@<>".]+)*$/.test(email) &&
    !UNSEEN.test(email);
  return isEmail ? email : undefined;
}

/** An address as it is stored. Throws `invalid_request`. */
export function readEmail(text: string, field = "email"): string {
  const email = emailOf(text);
  if (email === undefined) throw invalidRequest(field, "This is not an e-mail address.");
  return email;
}

/** How somebody wants to be called; their address, where they say nothing. Throws `invalid_request`. */
export function readName(text: string | undefined, email: string): string {
  if (text === undefined || text.trim() === "") return email;
  const { data, error } = nameSchema.safeParse(text);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  const fault = issue === undefined ? "must be a name" : issueText(issue);
  throw invalidRequest("name", `name ${fault}.`);
}

/** A name that another system gives: nobody here can mend it, so what may not be in it is left out. */
export function foreignName(text: string): string | undefined {
  const plain = text.replaceAll(new RegExp(UNSEEN, "gu"), "").trim();
  return plain === "" ? undefined : plain;
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
