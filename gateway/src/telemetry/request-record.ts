import type { FailureCode } from "#canonical/failure.ts";
import type { FinishReason } from "#canonical/chat-response.ts";
import type { Usage } from "#canonical/usage.ts";

/** One call of one route. */
export interface AttemptRecord {
  readonly provider: string;
  readonly model: string;
  /** How the body travelled: as the client wrote it, or through the canonical vocabulary. */
  readonly lane: "native" | "translated";
  readonly startedMs: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly failure: FailureCode | null;
  /** Which of the provider's credentials; free of secrets. */
  readonly credential: string;
  /** Why the route was in the plan. */
  readonly reason: string;
  /** What the provider may charge for an attempt without an answer: ours to bear. `null`: unknown. */
  readonly lossNanoUsd: number | null;
  /** Begun beside another attempt that was late. */
  readonly hedge?: boolean;
  /** The fault that the operator rehearsed. */
  readonly injected?: string;
}

/** Metadata of one request: never text of prompts or answers. Times are milliseconds from its start. */
export interface RequestRecord {
  readonly id: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly organizationId: string;
  readonly teamId: string | null;
  readonly projectId: string | null;
  readonly keyId: string | null;
  readonly operation: string;
  readonly protocol: string;
  readonly modelAsked: string;
  readonly modelUsed: string | null;
  readonly provider: string | null;
  /** The provider's id of the answer. */
  readonly upstreamId: string | null;
  readonly streamed: boolean;
  readonly status: number;
  readonly failure: FailureCode | null;
  readonly finishReason: FinishReason | null;
  readonly attempts: readonly AttemptRecord[];
  readonly usage: Usage | null;
  /** `null`: unknown, and `costReason` says why. */
  readonly costNanoUsd: bigint | null;
  readonly costReason: string | null;
  /** What the caller is charged for it: `costNanoUsd` with markup or a price of its own. */
  readonly chargeNanoUsd: bigint | null;
  /** What the provider itself says that it charged. */
  readonly providerReportedNanoUsd: bigint | null;
  /** What its cache reads and writes would cost at the full input price, less what they did cost. */
  readonly cacheSavedNanoUsd: bigint;
  /** What the same tokens would have cost at the flagship; `null`: there is none to compare with. */
  readonly baselineNanoUsd: bigint | null;
  /** What attempts without an answer may have cost: booked as the operator's loss, never the caller's. */
  readonly lossNanoUsd: bigint;
  /** How the route was chosen, as JSON without any text of the request; see `routing/`. */
  readonly decision: object | null;
  /** The bounds of the policy that applied; `null`: none did. */
  readonly policy: object | null;
  readonly firstContentMs: number | null;
  readonly totalMs: number;
  /** Time that was the gateway's own and not the provider's. */
  readonly overheadMs: number;
  readonly sessionId: string | null;
  /** Ties the turns of a conversation together: the session's id, else a hash of how it began. */
  readonly conversation: string | null;
  /** Its last message was a tool's result. */
  readonly inToolLoop: boolean;
  /** What `auto` took it for. */
  readonly taskClass: string | null;
  readonly endUser: string | null;
  readonly tags: readonly string[];
  readonly warnings: readonly { readonly field: string; readonly reason: string }[];
}
