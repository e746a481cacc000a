import type { Role } from "@turnpike/contract/governance.ts";

import type { Scope } from "#governance/permissions.ts";

/** Who calls the admin API or the command line. Never an inference key (`sk-tp-…`): see *Access*. */
export interface Actor {
  readonly kind: "person" | "service" | "operator";
  /** `null`: the operator, who has no row among the users. */
  readonly userId: string | null;
  /** For the audit: a person's e-mail address, a service account's name, `operator`. */
  readonly name: string;
  readonly isPlatformAdmin: boolean;
  readonly memberships: readonly ActorMembership[];
  /** Of an admin key; absent: all that the roles allow. They only narrow. */
  readonly scopes?: ReadonlySet<Scope>;
  /** Of an admin key that is bound to one organization. */
  readonly organizationId?: string;
  /** When the admin key ends, in milliseconds: what it creates of its own kind ends no later. */
  readonly expiresAt?: number;
  readonly via: { readonly kind: "session" | "admin-key" | "cli"; readonly id: string };
}

export interface ActorMembership {
  readonly organizationId: string;
  /** `null`: the whole organization. */
  readonly teamId: string | null;
  readonly role: Role;
}

/**
 * The command line on the machine that holds the data folder: whoever can read the database and the
 * master key holds everything already.
 */
export const OPERATOR: Actor = {
  kind: "operator",
  userId: null,
  name: "operator",
  isPlatformAdmin: true,
  memberships: [],
  via: { kind: "cli", id: "cli" },
};
