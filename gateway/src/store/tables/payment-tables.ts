/** What was paid in from outside. Amounts in nano-USD, or in a token's own smallest unit as text. */
export interface PaymentTables {
  payments: {
    id: string;
    /** Once for each authorization that somebody has signed: `<network>:<asset>:<payer>:<nonce>`. */
    pay_key: string;
    /** `upto`: a request that is settled after its answer. */
    kind: "request" | "upto" | "top-up" | "gate-pay";
    /**
     * `claimed`: being settled, and of `upto` answered before that, as long as `gateway` is NULL; `unknown`: nobody could say; `refused`: was not settled, and may be yet
     * until its authorization ends; `paid`: on the chain; `credited`: in the ledger; `failed`: never
     * will be; `reversed`: was paid, and its block was taken back.
     */
    state: "claimed" | "unknown" | "refused" | "paid" | "credited" | "failed" | "reversed";
    organization_id: string;
    project_id: string | null;
    /** Whose credit it is: the owner of a wallet in the ledger. */
    owner: string;
    network: string;
    asset: string;
    payer: string;
    pay_to: string;
    amount: string;
    nano_usd: number | bigint;
    /** JSON: what it takes to look for it on its chain, or at the payment service. */
    facts: string;
    /** Of what the client sent, and of what it asks for: the same again goes on, anything else is refused. */
    header_digest: string;
    request_digest: string;
    transaction_hash: string | null;
    /** The one transfer that it is: no transfer pays twice. */
    transfer_ref: string | null;
    /** Block in which it was seen; NULL: not looked at, or deep enough to be final. */
    block: number | null;
    reason: string | null;
    /** The request that it was delivered for, and the process that answers it; NULL: not yet used. */
    request_id: string | null;
    gateway: string | null;
    valid_before: number;
    created_at: number;
    updated_at: number;
  };
  payment_refunds: {
    /** Also what the payment service knows it by. */
    id: string;
    payment_id: string;
    /** From 0 on, of each payment: two at once cannot both be the next one. */
    number: number;
    organization_id: string;
    idempotency_key: string;
    /**
     * `claimed`: asked for; `taken`: off the wallet, and perhaps at the payment service; `sent`: the
     * service has taken it; `returning`: it will not be, and goes back onto the wallet; then an end.
     */
    state: "claimed" | "taken" | "sent" | "returning" | "refunded" | "failed";
    nano_usd: number | bigint;
    reason: string | null;
    created_at: number;
    updated_at: number;
  };
  /** Nonces of sign-in proofs that were used. */
  wallet_nonces: {
    nonce: string;
    expires_at: number;
  };
}
