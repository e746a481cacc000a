import type { Failure } from "#canonical/failure.ts";
import type { FinishReason } from "#canonical/chat-response.ts";
import type { ServiceTier, Usage } from "#canonical/usage.ts";
import type { Access, Capability } from "#governance/access.ts";
import { costOfUsage } from "#ledger/cost-of-usage.ts";
import type { Lease, Told } from "#ledger/idempotency.ts";
import type { UsageBound } from "#ledger/worst-case.ts";
import type { Tab } from "#payments/open-tab.ts";
import type { Collected } from "#payments/paid-payment.ts";
import type { Payer } from "#payments/payment-desk.ts";
import type { CallMoney } from "#pipeline/call-money.ts";
import type { Loss } from "#protocols/codec.ts";
import type { AttemptRecord } from "#telemetry/request-record.ts";
import type { JsonBody } from "#pipeline/read-body.ts";
import type { Exchange } from "#pipeline/exchange.ts";
import type { AnswerText } from "#pipeline/guardrails/apply-guardrails.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import type { GatewayOptions } from "#pipeline/gateway-options.ts";
import type { AssessInput } from "#routing/auto/assess.ts";
import type { ConversationIds } from "#routing/auto-request.ts";
import type { Needs } from "#routing/candidate.ts";
import type { TrackedAttempt } from "#health/health-tracker.ts";
import type { Attempt } from "#pipeline/attempt.ts";
import type { FaultRule } from "#pipeline/inject-fault.ts";
import type { Shadow } from "#pipeline/shadow.ts";
import type { Plan, Route } from "#routing/route.ts";
import type { SeenToolCall } from "#pipeline/stream-state.ts";
import type { Tool } from "#canonical/tool.ts";
import type { LimitEnd } from "#limits/claim.ts";
import type { LimitStatus } from "#limits/limit-headers.ts";
import type { StreamRelay } from "#pipeline/relay-stream.ts";

/** One request while it is served. Stages fill it in the order of the path. */
export interface Call {
  /** Replaced once, where what is sent is to be kept. */
  exchange: Exchange;
  readonly gateway: Gateway;
  /** Aborted when the client leaves or the time is up; every attempt hangs on it. */
  readonly signal: AbortSignal;
  /** Who asks, and all that applies to it. */
  access?: Access;
  /** Who pays for it by itself; absent: it came with a key. */
  payer?: Payer;
  /** What was paid for it. */
  payment?: Collected;
  /** It is paid once its answer is there, from this; over: that was done, or tried. */
  tab?: Tab & { isOver: boolean; readonly timer: NodeJS.Timeout };
  body?: JsonBody;
  options?: GatewayOptions;
  modelAsked: string;
  streamed: boolean;
  endUser?: string | undefined;
  needs?: Needs;
  plan?: Plan;
  /** What `auto` would have chosen, where the operator wants to know; decided at the first call. */
  shadow?: () => Shadow | undefined;
  /** Which conversation it continues; free of its text. */
  sessionKey?: string | undefined;
  /** The route that is being tried, and about how much input it was given. */
  pending?: { readonly route: Route; readonly inputTokens: number };
  /** Monotonic milliseconds at which the request must have ended. */
  readonly deadlineTick: number;
  /** The deadline holds for the whole of a stream; the SDKs' own limit only until it begins. */
  readonly deadlineForStreams: boolean;
  /** What the operator rehearses with this request. */
  faults: readonly FaultRule[];
  /** The attempt whose answer the client is given. */
  answering?: Answering;
  /** What it asks for may act on the world: it must not be done twice. */
  sideEffects: boolean;
  /** Whether a late attempt of it gets a second one beside it. */
  hedges?: boolean;
  /** Milliseconds of pauses between attempts. */
  waitedMs: number;
  /** The gateway's own time until the first content of a stream. */
  overheadToContentMs?: number;
  /** Where it is paid from and what it counts for; from its plan on. */
  money?: CallMoney;
  /** Where its client has given it a key under which it is done once. */
  lease?: Lease;
  /** What repetitions of it are told; absent: it was not answered. */
  answeredWith?: Told;
  /** The output bound that is written into what providers are sent; absent: as the client wrote it. */
  outputBound?: number;
  /** How many answers it asks for; each may have all the output. */
  answers?: number;
  /** What its output was cut to, so that it is affordable. */
  clampedTo?: number;
  /** Ends it in the middle of its answer. */
  cut?: (failure: Failure) => void;
  readonly attempts: AttemptRecord[];
  /** How its key stands with its limits; absent: it has none. */
  limitStatus?: LimitStatus;
  /** Each gives back what it holds of some of them, told how many tokens it has used. */
  heldLimits?: ((end: LimitEnd) => void)[];
  /** The same for the limits of single models, by the catalogue's id. */
  modelLimits?: Map<string, (end: LimitEnd) => void>;
  /** They were in the way, and nothing was sent. */
  isOverLimit?: true;
  /** Routes of its plan that were passed over, and why. */
  skipped?: SkippedRoute[];
  /** Input and output, as they were put on record. */
  usedTokens?: number;
}

/** What bounds the cost of a request. */
export interface Spending {
  /** Upper bounds of what it can use at a route. */
  readonly boundOf: (route: Route) => UsageBound;
  /** How many answers it asks for. */
  readonly answers: number;
  /** Its answer is written token by token, and can be bounded. */
  readonly writes: boolean;
  /** The output bound that the client has set. */
  readonly outputTokens?: number | undefined;
}

/** Who learns apart from whom; before it is known who asks, nobody. */
export const organizationOf = ({ access }: Pick<Call, "access">): string =>
  access?.organization.id ?? "";

/** What an operation reads from a request, whatever its dialect. */
export interface ParsedCall {
  readonly model: string;
  readonly stream: boolean;
  readonly needs: Needs;
  readonly endUser?: string;
  /** The provider itself may act on the world for it: tools that it runs, other than searching. */
  readonly sideEffects?: boolean;
  /** What it would use of what policies can ban; looked at only where one does. */
  readonly capabilities?: () => ReadonlySet<Capability>;
  /** Absent: it costs nothing. */
  readonly spending?: Spending;
  /** What `auto` looks at; chat only. */
  readonly assessInput?: () => AssessInput;
  /** It has an answer of the model's in it: the same first words alone are no conversation. */
  readonly isContinued?: boolean;
  /** The key of the conversation that the request continues; chat only. */
  readonly sessionKey?: (ids: ConversationIds) => string;
  /** Calls one route. Resolves with a failure as a value; throws `GatewayError` for the caller's own faults. */
  attempt(attempt: Attempt): Promise<AttemptResult>;
  /** The failure as the in-band end of a stream that has begun. */
  renderStreamFailure(failure: Failure): string;
}

/** A route that was not called, for a reason that routing did not know. */
export interface SkippedRoute {
  readonly key: string;
  readonly reason: string;
}

/** The answer that a client is given, until its end. */
export interface Answering {
  readonly route: Route;
  readonly tracked: TrackedAttempt;
  readonly startedTick: number;
  /** Where its record stands among the attempts. */
  readonly place: number;
}

export type AttemptResult =
  | { readonly failure: Failure; readonly lane?: "native" | "translated" }
  | Answer;

interface AnswerBase {
  readonly route: Route;
  readonly lane: "native" | "translated";
  readonly losses: readonly Loss[];
  /** What the client offered the model to call. */
  readonly tools?: readonly Tool[];
  /** Estimates usage where the provider gave none, or the answer broke off. */
  estimateUsage(deliveredTokens: number): Usage;
  readonly tier: ServiceTier;
  /** The output bound that the request set. */
  readonly outputBound?: number;
}

export interface WholeAnswer extends AnswerBase {
  readonly kind: "whole";
  readonly usage: Usage;
  readonly finish: FinishReason | null;
  readonly upstreamId: string | null;
  readonly toolCalls?: readonly SeenToolCall[];
  /** What each of its answers says; absent: they are no texts. */
  readonly texts?: () => readonly AnswerText[];
  /** The body for the client, cost included. */
  readonly body: string;
}

export interface StreamAnswer extends AnswerBase {
  readonly kind: "stream";
  readonly relay: StreamRelay;
  /** The whole stream, withheld until now; or why it stays so. Absent: nothing is withheld. */
  readonly release?: () => Promise<string | Failure>;
}

export type Answer = WholeAnswer | StreamAnswer;

/** Beyond this a reported cost is a provider's fault, and no sum of records could hold it. */
const MAX_REPORTED_USD = 10_000;

/**
 * What a usage costs at a route. Where no price list knows it, what the provider itself says that it
 * charged counts.
 */
export function costAt(
  route: Route,
  usage: Usage,
  tier: ServiceTier,
): ReturnType<typeof costOfUsage> {
  const cost = costOfUsage(usage, route.endpoint.prices, { tier });
  const { reportedCostUsd } = usage;
  if (cost.nanoUsd !== null || reportedCostUsd === undefined) return cost;
  if (reportedCostUsd > MAX_REPORTED_USD) {
    return { nanoUsd: null, reason: "the cost that the provider reports cannot be" };
  }
  return { nanoUsd: BigInt(Math.round(reportedCostUsd * 1e9)) };
}
