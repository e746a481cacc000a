import type { Step } from "#store/migrations/step.ts";

/**
 * Where organizations are told of events, what happened, and what is to be sent: written before
 * anything is sent, so that nothing is lost with a process. An event has one row by its name: the
 * same one twice is told once.
 */
export const ALERTS: Step = [
  `CREATE TABLE alert_channels (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations (id),
    document TEXT NOT NULL, secrets BLOB NOT NULL, created_at INTEGER NOT NULL,
    archived_at INTEGER
  ) STRICT`,
  "CREATE INDEX alert_channels_organization ON alert_channels (organization_id)",
  `CREATE TABLE alert_events (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, organization_id TEXT, once TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL, created_at INTEGER NOT NULL
  ) STRICT`,
  "CREATE INDEX alert_events_time ON alert_events (created_at)",
  `CREATE TABLE alert_deliveries (
    id TEXT PRIMARY KEY, event_id TEXT NOT NULL REFERENCES alert_events (id),
    channel_id TEXT NOT NULL REFERENCES alert_channels (id),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'given-up')),
    tries INTEGER NOT NULL, next_at INTEGER NOT NULL, leased_until INTEGER NOT NULL,
    fault TEXT, created_at INTEGER NOT NULL, ended_at INTEGER, UNIQUE (event_id, channel_id)
  ) STRICT`,
  "CREATE INDEX alert_deliveries_due ON alert_deliveries (next_at) WHERE state = 'waiting'",
  "CREATE INDEX alert_deliveries_channel ON alert_deliveries (channel_id, created_at)",
];

/** A file of governance knows a channel by its name: of two of one name all but the first get their id to it. */
export const ALERT_NAMES: Step = [
  {
    sqlite: `UPDATE alert_channels SET document =
      json_set(document, '$.name', substr(json_extract(document, '$.name'), 1, 80) || ' ' || id)
      WHERE archived_at IS NULL AND EXISTS (
        SELECT 1 FROM alert_channels AS first WHERE first.archived_at IS NULL
        AND first.organization_id = alert_channels.organization_id AND first.id < alert_channels.id
        AND json_extract(first.document, '$.name') = json_extract(alert_channels.document, '$.name'))`,
    postgres: `UPDATE alert_channels SET document = jsonb_set(document::jsonb, '{name}',
      to_jsonb(substr(document::jsonb ->> 'name', 1, 80) || ' ' || id))::text
      WHERE archived_at IS NULL AND EXISTS (
        SELECT 1 FROM alert_channels AS first WHERE first.archived_at IS NULL
        AND first.organization_id = alert_channels.organization_id AND first.id < alert_channels.id
        AND first.document::jsonb ->> 'name' = alert_channels.document::jsonb ->> 'name')`,
  },
  {
    sqlite: `CREATE UNIQUE INDEX alert_channels_name
      ON alert_channels (organization_id, json_extract(document, '$.name')) WHERE archived_at IS NULL`,
    postgres: `CREATE UNIQUE INDEX alert_channels_name
      ON alert_channels (organization_id, (document::jsonb ->> 'name')) WHERE archived_at IS NULL`,
  },
];
