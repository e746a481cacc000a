import { GatewayError } from "#canonical/failure.ts";

/** Why a statement was not done: the row is there already, it breaks a rule of the schema, or the database failed. */
export type StoreFault = "unique" | "constraint" | "unavailable";

/** A statement that was not done. Who expects a fault catches it; for everybody else it is a 503. */
export class StoreError extends GatewayError {
  readonly fault: StoreFault;
  constructor(fault: StoreFault, reason: string) {
    super({
      code: "store_unavailable",
      message: `The gateway's data store failed: ${reason}`,
      retryAfterMs: 1_000,
    });
    this.fault = fault;
  }
}

export const TRANSACTION_ENDED = "a statement came after its transaction had ended";

export const isUnique = (error: unknown): boolean =>
  error instanceof StoreError && error.fault === "unique";

/** The database itself failed: another try at once would fail as well. */
export const isUnavailable = (error: unknown): boolean =>
  error instanceof StoreError && error.fault === "unavailable";

/** A failure by SQLite's words for it. */
export function sqliteError(reason = "closed"): StoreError {
  if (reason.startsWith("UNIQUE constraint failed")) return new StoreError("unique", reason);
  const isRule = /constraint failed|append-only|cannot store/.test(reason);
  return new StoreError(isRule ? "constraint" : "unavailable", reason);
}

const UNIQUE_VIOLATION = "23505";

/** A failure by Postgres's code for it; its text may quote values, and stays out. */
export function postgresError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const {
    code = "",
    constraint,
    message,
  } = error as {
    code?: string;
    constraint?: string;
    message?: string;
  };
  if (code === UNIQUE_VIOLATION) return new StoreError("unique", constraint ?? code);
  // Class 22: values that a column cannot have; 23: integrity; P0001: raised by our own triggers.
  const isRule = code.startsWith("22") || code.startsWith("23") || code === "P0001";
  if (isRule) return new StoreError("constraint", constraint ?? code);
  return new StoreError("unavailable", code === "" ? (message ?? "no connection") : code);
}
