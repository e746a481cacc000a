import type { Use } from "#store/ledger-uses.ts";

/** Names a counter: what a budget has used in one period, of one subject where it counts each apart. */
export interface CounterKey {
  /** `<budget>:<period start>:<subject>`. */
  readonly id: string;
  readonly budgetId: string;
  readonly organizationId: string;
  readonly subject: string;
  /** Unix milliseconds. */
  readonly periodStart: number;
  /** `null`: a lifetime. */
  readonly periodEnd: number | null;
}

export type CounterUnit = "usd" | "tokens";

/** A counter that bounds a request. */
export interface CounterLimit extends CounterKey {
  readonly unit: CounterUnit;
  /** Nano-USD or tokens. */
  readonly limit: bigint;
  /** Which of the request's lines count for it; absent: all. */
  readonly lines?: readonly number[];
  /**
   * A limit that slows down instead of stopping: beyond it a request needs this slot, and only one at a
   * time has it.
   */
  readonly slot?: CounterKey;
}

/**
 * What a request costs at worst at one route, as a line: `base + price × output tokens`. Pico-USD, so
 * that nothing is rounded before the sum.
 */
export interface CostLine {
  readonly basePicoUsd: bigint;
  readonly outputPicoUsd: bigint;
  /** Upper bound of its input. */
  readonly inputTokens: number;
}

/** A wallet that a request is paid from. */
export interface WalletLimit {
  readonly id: string;
  /** Lowest balance that it may have: 0, or below it by a credit limit. */
  readonly lowest: bigint;
}

export interface ProviderCost {
  readonly provider: string;
  readonly nanoUsd: bigint;
}

/** What a request is charged, and what it cost. */
export interface Charge {
  readonly walletId: string;
  readonly projectId: string;
  readonly chargeNanoUsd: bigint;
  /** What the provider that answered is owed. */
  readonly cost?: ProviderCost;
  /** What providers may ask for attempts that nobody is charged for. */
  readonly losses?: readonly ProviderCost[];
  /** Input and output together. */
  readonly tokens: number;
  /** What answered, as the transfer of the charge keeps it: see `chargeMemo`. */
  readonly memo?: string;
  /** What it counts for; each by its unit. */
  readonly counters: readonly (CounterKey & { readonly unit: CounterUnit })[];
}

/** Holds the worst case of a request, cut to what is affordable, at all levels at once. */
export interface Reserve {
  readonly type: "reserve";
  /** The request's id: the same one is held once, whatever is repeated. */
  readonly id: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly organizationId: string;
  /** The process that answers the request. */
  readonly owner: string;
  readonly deadline: number;
  /** Absent: its wallet has no lower bound. */
  readonly wallet?: WalletLimit;
  readonly counters: readonly CounterLimit[];
  /** One a route; the dearest counts. */
  readonly lines: readonly CostLine[];
  /** How many answers it asks for: each may have all the output tokens. */
  readonly answers: number;
  readonly wantedTokens: number;
  /** Fewer output tokens are of no use to the caller. */
  readonly leastTokens: number;
  /** What is charged where nobody settles it. */
  readonly fallback: Charge;
  /** What its payer has paid for it: booked in the same transaction, once. */
  readonly deposit?: Post;
  /** Used up whatever comes of it; where one of them was used before it is refused. */
  readonly uses?: readonly Use[];
  /** Nothing is held: it is only asked whether it would be. */
  readonly trial?: true;
}

/** Charges a request and releases its hold, once. */
export interface Settle {
  readonly type: "settle";
  readonly id: string;
  readonly at: number;
  readonly organizationId: string;
  readonly charge: Charge;
  /**
   * What its payer has paid for the answer: booked in the same transaction, once, and the most that is
   * charged. Where it was used for something else before nothing is done, which is told as `unknown`.
   */
  readonly deposit?: Post;
  /** It was held: a hold that is not there is no leave to charge. */
  readonly held: boolean;
}

/** Releases a hold; nothing is charged. */
export interface Void {
  readonly type: "void";
  readonly id: string;
  readonly at: number;
  /** Where it is not known whether it was held: what is given back then. */
  readonly uses?: readonly Use[];
  /** What failed attempts may cost all the same. */
  readonly losses?: readonly ProviderCost[];
}

/** Ends a hold that nobody settles: at what is known of it once a provider was called. */
export interface Expire {
  readonly type: "expire";
  readonly id: string;
  readonly at: number;
}

/** Notes how far an answer has come, for when nobody settles it. */
export interface Meter {
  readonly type: "meter";
  readonly id: string;
  readonly deliveredTokens: number;
  readonly fallback: Charge;
}

/** Books a transfer of the caller's own; the same id is booked once. */
export interface Post {
  readonly type: "post";
  readonly id: string;
  readonly at: number;
  readonly kind: string;
  readonly debitAccount: string;
  readonly creditAccount: string;
  readonly amount: bigint;
  readonly organizationId: string | null;
  readonly projectId?: string | null;
  readonly requestId?: string | null;
  readonly memo?: string | null;
  /**
   * Less where the debited account has less that is neither spent nor held; `all`: nothing then, which
   * is told as the outcome `unknown`.
   */
  readonly onlyAvailable?: boolean | "all";
  /** Used up with it; where one of them was used before nothing is booked, which is told as `unknown`. */
  readonly uses?: readonly Use[];
}

export type Command = Reserve | Settle | Void | Expire | Meter | Post;

/** What was held of a request. */
export interface Granted {
  readonly outputTokens: number;
  readonly amount: bigint;
  /** Of each counter, in its unit. */
  readonly counters: readonly { readonly id: string; readonly amount: bigint }[];
}

/** Why a request was not let through. */
export interface Refusal {
  readonly by: "counter" | "wallet" | "slot" | "ended" | "use";
  /** The counter at fault. */
  readonly counterId?: string;
  readonly limit: bigint;
  readonly used: bigint;
  readonly pending: bigint;
  /** Output tokens that it could have had; negative: not even its input. */
  readonly affordableTokens: number;
  /** Only requests under way are in the way: it may be let through when they end. */
  readonly untilHoldsEnd: boolean;
  /**
   * Which of its lines would fit, each by itself, at the least output that is of use: without the
   * others it may be let through.
   */
  readonly affordableLines: readonly number[];
}

export interface Counted {
  readonly counterId: string;
  readonly before: bigint;
  readonly after: bigint;
}

/** How a settlement, release or booking came out. */
export interface Ended {
  /** `again`: it had been done before, and nothing was changed. */
  readonly outcome: "done" | "again" | "unknown";
  readonly state: "settled" | "voided" | "expired" | "open" | "booked";
  readonly charged: bigint;
  /** What would have been charged beyond the hold. */
  readonly excess: bigint;
  readonly counted: readonly Counted[];
}

export type Reply = Granted | Refusal | Ended;

/** The reply of each kind of command. */
export type ReplyOf<Kind extends Command> = Kind extends Reserve ? Granted | Refusal : Ended;

export const isRefusal = (reply: Granted | Refusal): reply is Refusal => "by" in reply;
