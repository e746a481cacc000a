/** Keys that content is encrypted with, and what was erased. */
export interface PrivacyTables {
  stored_responses: {
    id: string;
    key_id: string;
    created_at: number;
    expires_at: number;
    /** AES-256-GCM of the response, its input and the ids before it. */
    sealed: Uint8Array;
    /** NULL in rows that are older than organizations. */
    organization_id: string | null;
    project_id: string | null;
    /** Pseudonym of the one whose text it is. */
    subject: string | null;
    /** NULL: sealed by the master key itself, as before there were keys of subjects. */
    encryption_key: string | null;
  };
  /** Rows hold wrapped keys only. */
  encryption_keys: {
    id: string;
    level: "organization" | "subject";
    organization_id: string;
    purpose: "content" | "credentials";
    /** Pseudonym; empty: the organization's own. */
    subject: string;
    /** The highest is the one that new records are sealed with. */
    epoch: number;
    wrapped: Uint8Array;
    /** The master key's or the organization key's id. */
    wrapped_by: string;
    /** How many records may have been sealed with it. */
    uses: number;
    created_at: number;
  };
  /** One row: grows with every destroyed key. */
  erasure_version: { id: number; version: number };
  erasures: {
    id: string;
    organization_id: string;
    /** JSON of what was to be erased; people as pseudonyms. */
    target: string;
    requested_at: number;
    completed_at: number | null;
    /** JSON of the signed receipt. */
    receipt: string | null;
  };
  signing_keys: {
    id: string;
    /** PEM. */
    public_key: string;
    sealed: Uint8Array;
    created_at: number;
  };
}
