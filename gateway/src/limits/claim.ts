import type { Level } from "@turnpike/contract/governance.ts";

export type LimitKind = "requests" | "tokens" | "concurrent";

/** What one request takes of one limit. */
export interface Claim {
  /** Names the counter; requests that share it take from the same amount. */
  readonly key: string;
  readonly kind: LimitKind;
  /** In a minute, or at once. */
  readonly limit: number;
  readonly amount: number;
  /** For words: whose limit it is, and what it counts apart. */
  readonly level: Level;
  readonly targetId: string;
  /** A policy's id, or the organization's plan. */
  readonly source: string;
  readonly of?: "end user" | "model";
}

/** How much of a limit was in use before a request came. */
export interface Standing {
  readonly used: number;
  /** Milliseconds until the request fits; absent: nobody can tell, or it never does. */
  readonly waitMs?: number;
}

/** All claims of a request were taken, or none: then `refused` is the place of the one in the way. */
export interface Verdict {
  readonly standings: readonly Standing[];
  readonly refused?: number;
}

/**
 * How a request ended: with so many tokens used, or `"refused"`, since another limit was in the way; then
 * it counts for none of them.
 */
export type LimitEnd = number | "refused";

/** What a request holds of its limits until it ends. */
export interface Lease {
  readonly id: string;
  readonly claims: readonly Claim[];
  /** Unix seconds of the window's bucket that it is counted in. */
  readonly second: number;
}
