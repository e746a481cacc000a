/** Something that is good for one command only: it is used up in the transaction in which that is done. */
export type Use = PaymentUse | PaymentReturn | NonceUse;

/** A payment that is on its chain, for a request: it becomes credit in the same transaction. */
export interface PaymentUse {
  readonly kind: "payment";
  readonly id: string;
  readonly requestId: string;
  /** The process that answers it. */
  readonly gateway: string;
  readonly transaction: string;
  readonly transferRef: string;
  /** `null`: not known, or final. */
  readonly block: number | null;
  /** What was paid: in the token's smallest unit, and in nano-USD. */
  readonly amount: string;
  readonly nanoUsd: number;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Gives a payment back that was used for a request which never began. */
export interface PaymentReturn {
  readonly kind: "return";
  readonly id: string;
  readonly requestId: string;
}

/** The nonce of a wallet's proof. */
export interface NonceUse {
  readonly kind: "nonce";
  readonly nonce: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** A statement that returns a row where something was used just now; `?` stands for a parameter. */
export interface UseStatement {
  readonly sql: string;
  readonly parameters: readonly (string | number | null)[];
}

const NONCE =
  "INSERT INTO wallet_nonces (nonce, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING nonce";

/**
 * What is on record of its transaction stays: a reorganization may have moved it since it was read. A
 * transfer that has paid for another one pays for nothing.
 */
const PAYMENT = `UPDATE payments SET state = 'credited', updated_at = ?, request_id = ?, gateway = ?,
  amount = ?, nano_usd = ?,
  transaction_hash = COALESCE(transaction_hash, ?), transfer_ref = COALESCE(transfer_ref, ?),
  block = CASE WHEN transaction_hash IS NULL THEN ? ELSE block END
  WHERE id = ? AND state IN ('claimed', 'unknown', 'refused', 'paid', 'credited')
  AND (request_id IS NULL OR request_id = ?)
  AND NOT EXISTS (SELECT 1 FROM payments other WHERE other.transfer_ref = ? AND other.id <> ?)
  RETURNING id`;

const RETURN =
  "UPDATE payments SET request_id = NULL, gateway = NULL WHERE id = ? AND request_id = ? RETURNING id";

export function useStatement(use: Use): UseStatement {
  switch (use.kind) {
    case "nonce":
      return { sql: NONCE, parameters: [use.nonce, use.expiresAt] };
    case "return":
      return { sql: RETURN, parameters: [use.id, use.requestId] };
    case "payment":
      return paymentStatement(use);
  }
}

function paymentStatement(use: PaymentUse): UseStatement {
  const { id, requestId, gateway, amount, nanoUsd, transaction, transferRef, block, at } = use;
  const set = [at, requestId, gateway, amount, nanoUsd, transaction, transferRef, block];
  return { sql: PAYMENT, parameters: [...set, id, requestId, transferRef, id] };
}

/** The same with the marks of Postgres. */
export function postgresUse(use: Use): UseStatement {
  const { sql, parameters } = useStatement(use);
  let at = 0;
  return { sql: sql.replaceAll("?", () => `$${++at}`), parameters };
}
