import type { Step } from "#store/migrations/step.ts";

/** The organization that a gateway of one person has without knowing it. */
const DEFAULT_ORGANIZATION =
  "INSERT INTO organizations VALUES ('org_default', 'default', 'Default', 'enterprise', 'UTC', '{}', 0, NULL, 1)";
const DEFAULT_PROJECT =
  "INSERT INTO projects VALUES ('proj_default', 'org_default', NULL, 'Default', '{}', 0, NULL, 1)";

/**
 * Who may: organizations, teams, projects, people and their roles, keys, policies, budgets. Each row
 * that gateways keep in memory has the `version` of the directory at which it was written last.
 */
export const GOVERNANCE: Step = [
  "CREATE TABLE directory_version (id INTEGER PRIMARY KEY, version INTEGER NOT NULL)",
  "INSERT INTO directory_version VALUES (1, 1)",
  `CREATE TABLE organizations (
    id TEXT PRIMARY KEY, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    plan TEXT NOT NULL CHECK (plan IN ('free', 'pay-as-you-go', 'enterprise')),
    time_zone TEXT NOT NULL, settings TEXT NOT NULL, created_at INTEGER NOT NULL,
    disabled_at INTEGER, version INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE teams (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL, created_at INTEGER NOT NULL, archived_at INTEGER, version INTEGER NOT NULL,
    UNIQUE (organization_id, name)
  ) STRICT`,
  `CREATE TABLE projects (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations (id),
    team_id TEXT REFERENCES teams (id), name TEXT NOT NULL, settings TEXT NOT NULL,
    created_at INTEGER NOT NULL, archived_at INTEGER, version INTEGER NOT NULL,
    UNIQUE (organization_id, name)
  ) STRICT`,
  DEFAULT_ORGANIZATION,
  DEFAULT_PROJECT,
  `CREATE TABLE users (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('person', 'service')),
    organization_id TEXT REFERENCES organizations (id), email TEXT UNIQUE, name TEXT NOT NULL,
    password_hash TEXT, oidc_issuer TEXT, oidc_subject TEXT,
    is_platform_admin INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL,
    disabled_at INTEGER, version INTEGER NOT NULL, UNIQUE (oidc_issuer, oidc_subject)
  ) STRICT`,
  `CREATE TABLE memberships (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    team_id TEXT REFERENCES teams (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer', 'billing')),
    source TEXT NOT NULL CHECK (source IN ('manual', 'invitation', 'oidc')),
    created_at INTEGER NOT NULL, version INTEGER NOT NULL
  ) STRICT`,
  "CREATE UNIQUE INDEX memberships_once ON memberships (user_id, organization_id, coalesce(team_id, ''))",
  `CREATE TABLE invitations (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations (id),
    team_id TEXT REFERENCES teams (id), email TEXT NOT NULL, role TEXT NOT NULL,
    token_digest TEXT NOT NULL UNIQUE, invited_by TEXT NOT NULL, created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, accepted_at INTEGER, revoked_at INTEGER
  ) STRICT`,
  `CREATE TABLE sessions (
    token_digest TEXT PRIMARY KEY, id TEXT NOT NULL, user_id TEXT NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL, issued_at INTEGER NOT NULL, replaced_at INTEGER,
    last_seen_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT`,
  "CREATE INDEX sessions_user ON sessions (user_id)",
  "CREATE INDEX sessions_end ON sessions (expires_at)",
  "CREATE TABLE setup (id INTEGER PRIMARY KEY, nonce TEXT NOT NULL, done_at INTEGER) STRICT",
  `CREATE TABLE admin_keys (
    id TEXT PRIMARY KEY, organization_id TEXT REFERENCES organizations (id),
    user_id TEXT NOT NULL REFERENCES users (id), name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL, scopes TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER,
    revoked_at INTEGER, last_used_at INTEGER, version INTEGER NOT NULL
  ) STRICT`,
  "ALTER TABLE keys ADD COLUMN organization_id TEXT NOT NULL DEFAULT 'org_default'",
  "ALTER TABLE keys ADD COLUMN project_id TEXT NOT NULL DEFAULT 'proj_default'",
  "ALTER TABLE keys ADD COLUMN owner_id TEXT REFERENCES users (id)",
  "ALTER TABLE keys ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'",
  "ALTER TABLE keys ADD COLUMN expires_at INTEGER",
  "ALTER TABLE keys ADD COLUMN disabled_at INTEGER",
  "ALTER TABLE keys ADD COLUMN replaced_by TEXT",
  "ALTER TABLE keys ADD COLUMN last_used_at INTEGER",
  "ALTER TABLE keys ADD COLUMN version INTEGER NOT NULL DEFAULT 1",
  "CREATE INDEX keys_project ON keys (project_id)",
  "CREATE INDEX keys_version ON keys (version, id)",
  `CREATE TABLE policies (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations (id),
    level TEXT NOT NULL CHECK (level IN ('organization', 'team', 'project', 'key')),
    target_id TEXT NOT NULL, document TEXT NOT NULL, created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL, deleted_at INTEGER, version INTEGER NOT NULL,
    UNIQUE (level, target_id)
  ) STRICT`,
  `CREATE TABLE budgets (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations (id),
    level TEXT NOT NULL CHECK (level IN ('organization', 'team', 'project', 'key')),
    target_id TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL,
    limit_amount INTEGER NOT NULL CHECK (limit_amount >= 0), paused_at INTEGER, reset_at INTEGER,
    created_at INTEGER NOT NULL, archived_at INTEGER, version INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE price_overrides (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations (id),
    document TEXT NOT NULL, created_at INTEGER NOT NULL, archived_at INTEGER,
    version INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE provider_credentials (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations (id),
    project_id TEXT REFERENCES projects (id), provider TEXT NOT NULL, name TEXT NOT NULL,
    base_url TEXT, variables TEXT NOT NULL, sealed BLOB NOT NULL, encryption_key TEXT NOT NULL,
    hint TEXT NOT NULL, position INTEGER NOT NULL, allowed_key_ids TEXT,
    zero_retention_by TEXT, zero_retention_at INTEGER, tested_at INTEGER, test_result TEXT,
    created_at INTEGER NOT NULL, disabled_at INTEGER, archived_at INTEGER, version INTEGER NOT NULL
  ) STRICT`,
  "CREATE INDEX provider_credentials_organization ON provider_credentials (organization_id)",
  "CREATE INDEX provider_credentials_version ON provider_credentials (version)",
];
