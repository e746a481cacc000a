import type { EmitAlert } from "@turnpike/contract/alerts.ts";

import type { MarketFor } from "#byok/tenant-markets.ts";
import type { KeyRing } from "#governance/key-ring.ts";
import type { Limiter } from "#limits/limiter.ts";
import type { HealthTracker } from "#health/health-tracker.ts";
import type { IdempotencyKeys } from "#ledger/idempotency.ts";
import type { OpenHolds } from "#ledger/open-holds.ts";
import type { Ledger } from "#ledger/open-ledger.ts";
import type { PaymentDesk } from "#payments/payment-desk.ts";
import type { Learner } from "#pipeline/learner.ts";
import type { RetryBudget } from "#pipeline/retry-budget.ts";
import type { SessionMemory } from "#routing/session-memory.ts";
import type { Market } from "#routing/market.ts";
import type { ContentLog } from "#privacy/content-log.ts";
import type { StoredResponses } from "#pipeline/stored-responses.ts";
import type { Log } from "#telemetry/log.ts";
import type { WriteRecord } from "#telemetry/write-record.ts";
import type { Send } from "#upstream/answer.ts";

/** Time limits of one request, in milliseconds. Defaults: `DEFAULT_TIMEOUTS`. */
export interface Timeouts {
  /** Until the head of a provider's answer; longer for models that reason before they answer. */
  readonly headMs: number;
  readonly reasoningHeadMs: number;
  /** Until the first content of a stream; longer for models that reason before they answer. */
  readonly firstContentMs: number;
  readonly reasoningFirstContentMs: number;
  /** Longest silence within an answer. */
  readonly idleMs: number;
  /** Longest time in which a stream that has begun says nothing new: pings are no content. */
  readonly noProgressMs: number;
  readonly totalMs: number;
  /** How long a client may read nothing. */
  readonly writeStallMs: number;
  /** Comments to a waiting client, from this moment on and as often. */
  readonly heartbeatMs: number;
}

/** Sources and reasons: reference values of Envoy, NGINX and the providers' own SDKs. */
export const DEFAULT_TIMEOUTS: Timeouts = {
  headMs: 60_000,
  reasoningHeadMs: 300_000,
  firstContentMs: 60_000,
  reasoningFirstContentMs: 300_000,
  idleMs: 60_000,
  noProgressMs: 120_000,
  totalMs: 900_000,
  writeStallMs: 60_000,
  heartbeatMs: 10_000,
};

/** What the pipeline works with. Each stage takes only the members that it names. */
export interface Gateway {
  /** By which it knows requests that it has sent itself. */
  readonly instanceId: string;
  readonly keys: Pick<KeyRing, "authenticate">;
  /** Where those who have no key pay; absent: nobody is served without one. */
  readonly payments?: PaymentDesk | undefined;
  /** Takes what requests need of their rate limits; absent: nothing is limited. */
  readonly limiter?: Limiter;
  /** Whether an organization of the free plan has credit to spend; absent: none has. */
  readonly hasCredit?: ((organizationId: string) => boolean) | undefined;
  /** The models and providers as they are now. */
  readonly market: () => Market;
  /** The same with the caller's own credentials among the platform's. */
  readonly marketFor: MarketFor;
  readonly send: Send;
  /** Headers by which a guardrail's hook knows who asks; none where no secret is set for it. */
  readonly signHook?: (url: URL, body: string) => Readonly<Record<string, string>>;
  readonly writeRecord: WriteRecord;
  /** What requests cost is booked here, durably. */
  readonly ledger: Ledger;
  readonly holds: OpenHolds;
  /** What clients' own keys of requests stand for. */
  readonly idempotencyKeys: Pick<IdempotencyKeys, "claim">;
  /** Told when a budget's use passes one of its thresholds. */
  readonly emitAlert?: EmitAlert;
  readonly responses: StoredResponses;
  /** The opt-in log of texts. Absent: there is none. */
  readonly content?: Pick<ContentLog, "offer">;
  readonly log: Log;
  /** As the configuration says now. */
  readonly timeouts: () => Timeouts;
  /** What is known of each endpoint from the traffic so far. */
  readonly health: HealthTracker;
  readonly retries: RetryBudget;
  /** Where conversations were answered. */
  readonly sessions: SessionMemory;
  /** What answers and callers have taught about routes. */
  readonly learner: Learner;
  /** Monotonic milliseconds. */
  readonly tick: () => number;
  /** Dice: at least 0, below 1. */
  readonly random: () => number;
}
