/** What was done, and what the admin API remembers of requests. */
export interface OperationsTables {
  /** Append-only; each entry holds the hash of the one before. */
  audit_entries: {
    seq: number;
    id: string;
    at: number;
    organization_id: string | null;
    actor_kind: string;
    actor_id: string | null;
    actor_name: string;
    via: string;
    action: string;
    target_kind: string;
    target_id: string;
    /** JSON; NULL: it was not there. */
    before_state: string | null;
    /** JSON; NULL: it is not there any more. */
    after_state: string | null;
    ip: string | null;
    request_id: string | null;
    previous_hash: string;
    hash: string;
  };
  /** One row: the last entry. Its lock keeps the chain from forking. */
  audit_head: { id: number; seq: number; hash: string };
  /** First answers to POSTs with an `Idempotency-Key`. */
  idempotent_answers: {
    /** Hash of actor, route and key. */
    id: string;
    request_hash: string;
    /** NULL: the first request is under way. */
    status: number | null;
    /** The answer's body, sealed: it may show a new key. */
    sealed: Uint8Array | null;
    created_at: number;
  };
}
