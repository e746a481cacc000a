/**
 * What the audit log may show of each kind of thing. A field that is not here is not shown: digests,
 * password hashes, tokens and sealed values are named nowhere, so that they cannot slip in.
 */
export const AUDIT_FIELDS = {
  organization: ["slug", "name", "plan", "time_zone", "settings", "disabled_at"],
  team: ["name", "archived_at"],
  project: ["name", "team_id", "settings", "archived_at"],
  user: ["kind", "email", "name", "is_platform_admin", "disabled_at"],
  membership: ["user_id", "team_id", "role", "source"],
  invitation: ["team_id", "email", "role", "expires_at", "accepted_at", "revoked_at"],
  session: ["user_id"],
  "service-account": ["name", "disabled_at"],
  "admin-key": ["name", "hint", "user_id", "scopes", "expires_at", "revoked_at"],
  key: [
    "name",
    "hint",
    "project_id",
    "owner_id",
    "settings",
    "expires_at",
    "disabled_at",
    "revoked_at",
    "replaced_by",
  ],
  policy: ["level", "target_id", "document", "deleted_at"],
  budget: [
    "level",
    "target_id",
    "name",
    "document",
    "limit_amount",
    "paused_at",
    "reset_at",
    "archived_at",
  ],
  credit: ["kind", "amount_usd", "memo", "expires_at"],
  "price-override": ["document", "archived_at"],
  alert: ["name", "kind", "events", "disabled_at"],
  credential: ["name", "provider", "hint", "settings", "disabled_at", "revoked_at"],
  content: ["scope", "count"],
  erasure: ["scope", "subject", "from", "until", "counts", "receipt_id"],
  export: ["what", "count"],
} as const satisfies Record<string, readonly string[]>;

export type AuditTarget = keyof typeof AUDIT_FIELDS;
