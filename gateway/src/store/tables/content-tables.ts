/** Opt-in text of requests and answers, encrypted. */
export interface ContentTables {
  content_log: {
    request_id: string;
    organization_id: string;
    project_id: string;
    /** Pseudonym of the one whose text it is. */
    subject: string;
    created_at: number;
    expires_at: number;
    /** Sealed: with the customer's own key, which the gateway does not have. Dropped: there is no text. */
    state: "kept" | "sealed" | "content_dropped";
    encryption_key: string | null;
    request: Uint8Array | null;
    answer: Uint8Array | null;
  };
  /** Blind index: HMACs of words under the organization's key. */
  content_words: {
    organization_id: string;
    word: string;
    request_id: string;
  };
}
