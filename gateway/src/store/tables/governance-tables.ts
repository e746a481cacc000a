/** What a directory row has for the gateways that keep it in memory. */
interface Versioned {
  /** The directory's version at which the row was written last. */
  version: number;
}

type Role = "owner" | "admin" | "developer" | "viewer" | "billing";
type Level = "organization" | "team" | "project" | "key";

/** Who may. `settings` and `document` columns hold JSON of the schemas in `contract/`. */
export interface GovernanceTables {
  /** One row: grows with every change of what follows. */
  directory_version: { id: number; version: number };
  organizations: Versioned & {
    id: string;
    slug: string;
    name: string;
    plan: "free" | "pay-as-you-go" | "enterprise";
    /** IANA name; budgets begin their days and months in it. */
    time_zone: string;
    settings: string;
    created_at: number;
    disabled_at: number | null;
  };
  teams: Versioned & {
    id: string;
    organization_id: string;
    name: string;
    created_at: number;
    archived_at: number | null;
  };
  projects: Versioned & {
    id: string;
    organization_id: string;
    team_id: string | null;
    name: string;
    settings: string;
    created_at: number;
    archived_at: number | null;
  };
  users: Versioned & {
    id: string;
    kind: "person" | "service";
    /** Of service accounts. */
    organization_id: string | null;
    /** In lower case. */
    email: string | null;
    name: string;
    password_hash: string | null;
    oidc_issuer: string | null;
    oidc_subject: string | null;
    is_platform_admin: number;
    created_at: number;
    disabled_at: number | null;
  };
  memberships: Versioned & {
    id: string;
    user_id: string;
    organization_id: string;
    /** NULL: of the whole organization. */
    team_id: string | null;
    role: Role;
    source: "manual" | "invitation" | "oidc";
    created_at: number;
  };
  invitations: {
    id: string;
    organization_id: string;
    team_id: string | null;
    email: string;
    role: Role;
    token_digest: string;
    invited_by: string;
    created_at: number;
    expires_at: number;
    accepted_at: number | null;
    revoked_at: number | null;
  };
  sessions: {
    token_digest: string;
    /** Stays when the token is renewed. */
    id: string;
    user_id: string;
    created_at: number;
    /** When this token was made. */
    issued_at: number;
    /** When another token took its place; this one works for some seconds yet. */
    replaced_at: number | null;
    last_seen_at: number;
    expires_at: number;
  };
  /** One row: what the one-time token of the first sign-in is derived from. */
  setup: { id: number; nonce: string; done_at: number | null };
  admin_keys: Versioned & {
    id: string;
    /** NULL: of the whole platform. */
    organization_id: string | null;
    user_id: string;
    name: string;
    digest: string;
    hint: string;
    /** JSON array. */
    scopes: string;
    created_at: number;
    expires_at: number | null;
    revoked_at: number | null;
    last_used_at: number | null;
  };
  keys: Versioned & {
    id: string;
    name: string;
    /** HMAC-SHA-256 of the key under the gateway's pepper, hex. */
    digest: string;
    /** First characters and last four, to tell keys apart in lists. */
    hint: string;
    created_at: number;
    revoked_at: number | null;
    organization_id: string;
    project_id: string;
    owner_id: string | null;
    settings: string;
    expires_at: number | null;
    disabled_at: number | null;
    /** The key that took its place; the old one works on until `expires_at`. */
    replaced_by: string | null;
    last_used_at: number | null;
  };
  policies: Versioned & {
    id: string;
    organization_id: string;
    level: Level;
    target_id: string;
    document: string;
    created_at: number;
    updated_at: number;
    deleted_at: number | null;
  };
  budgets: Versioned & {
    id: string;
    organization_id: string;
    level: Level;
    target_id: string;
    name: string;
    document: string;
    /** Nano-USD or tokens, as the document says. */
    limit_amount: number | bigint;
    paused_at: number | null;
    /** Counting began anew then. */
    reset_at: number | null;
    created_at: number;
    archived_at: number | null;
  };
  price_overrides: Versioned & {
    id: string;
    organization_id: string;
    document: string;
    created_at: number;
    archived_at: number | null;
  };
  /** Keys of providers that are an organization's own. */
  provider_credentials: Versioned & {
    id: string;
    organization_id: string;
    /** NULL: of the whole organization. */
    project_id: string | null;
    /** Id of the provider. */
    provider: string;
    name: string;
    /** NULL: where the platform reaches the provider. */
    base_url: string | null;
    /** JSON object: region, resource, … */
    variables: string;
    /** AES-256-GCM of the secret; empty once archived. */
    sealed: Uint8Array;
    /** Which key opens it. */
    encryption_key: string;
    /** The last four characters. */
    hint: string;
    /** Lower ones are tried first; equal ones share the traffic. */
    position: number;
    /** JSON array; NULL: all keys of the organization or project. */
    allowed_key_ids: string | null;
    /** Who says that the provider keeps nothing of what is sent with it, and since when. */
    zero_retention_by: string | null;
    zero_retention_at: number | null;
    tested_at: number | null;
    /** JSON of what the last test found; free of secrets. */
    test_result: string | null;
    created_at: number;
    disabled_at: number | null;
    archived_at: number | null;
  };
}
