/** Who is told of what. */
export interface AlertTables {
  alert_channels: {
    id: string;
    organization_id: string;
    /** JSON, without secrets: see `contract/src/alerts.ts`. */
    document: string;
    /** Sealed JSON: the URL, and the secrets that webhooks are signed with. */
    secrets: Uint8Array;
    created_at: number;
    archived_at: number | null;
  };
  alert_events: {
    id: string;
    kind: string;
    /** NULL: the platform's. */
    organization_id: string | null;
    /** Names the event: it is there once. */
    once: string;
    /** JSON as it is sent. */
    body: string;
    created_at: number;
  };
  alert_deliveries: {
    id: string;
    event_id: string;
    channel_id: string;
    state: "waiting" | "sent" | "given-up";
    tries: number;
    next_at: number;
    /** Until then it is another gateway's, or another try's. */
    leased_until: number;
    /** Why the last try failed; free of answers' text. */
    fault: string | null;
    created_at: number;
    ended_at: number | null;
  };
}
