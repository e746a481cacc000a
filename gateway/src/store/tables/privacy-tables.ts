/** Keys that content is encrypted with, and what was erased. */
export interface PrivacyTables {
  stored_responses: {
    id: string;
    key_id: string;
    created_at: number;
    expires_at: number;
    /** AES-256-GCM of the response, its input and the ids before it. */
    sealed: Uint8Array;
  };
}
