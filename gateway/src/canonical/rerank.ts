import type { JsonObject } from "#lib/json.ts";
import type { Usage } from "#canonical/usage.ts";

/** A request to order documents by how well they answer a query. */
export interface RerankRequest {
  /** As the client wrote it. */
  readonly model: string;
  readonly query: string;
  readonly documents: readonly string[];
  readonly topN?: number;
  readonly returnDocuments?: boolean;
  /** Whose shape the client speaks, and gets the answer in. */
  readonly style: RerankStyle;
  readonly extra?: JsonObject;
}

/** `cohere` stands for Jina, OpenRouter and Together too; Voyage has other names. */
export type RerankStyle = "cohere" | "voyage";

export interface RerankResult {
  /** Place of the document in the request. */
  readonly index: number;
  readonly score: number;
  readonly document?: string;
}

export interface RerankResponse {
  readonly id?: string;
  readonly model: string;
  /** Best first. */
  readonly results: readonly RerankResult[];
  /** Cohere bills `searchUnits`, the others tokens. */
  readonly usage?: Usage;
}
