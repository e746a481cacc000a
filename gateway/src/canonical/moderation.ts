import type { JsonObject } from "#lib/json.ts";
import type { Usage } from "#canonical/usage.ts";

/** A request to judge texts (or OpenAI's image parts). */
export interface ModerationRequest {
  /** As the client wrote it; absent: the provider's default. */
  readonly model?: string;
  readonly input: readonly string[] | readonly JsonObject[];
  readonly extra?: JsonObject;
}

export interface ModerationResult {
  readonly flagged: boolean;
  readonly categories: Readonly<Record<string, boolean>>;
  readonly scores: Readonly<Record<string, number>>;
  /** OpenAI: which kinds of input each category was judged by. */
  readonly appliedInputTypes?: JsonObject;
}

export interface ModerationResponse {
  readonly id?: string;
  readonly model: string;
  readonly results: readonly ModerationResult[];
  readonly usage?: Usage;
}
