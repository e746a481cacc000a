import type { Failure } from "#canonical/failure.ts";
import type { Usage } from "#canonical/usage.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReportLoss, UpstreamError } from "#protocols/codec.ts";

/** What renderers of answers know beside the answer itself. */
export interface OperationContext<Request> {
  readonly request: Request;
  readonly requestId: string;
  /** Name to report as `model`. */
  readonly model: string;
  /** USD of the answer; `null` when no price is known. */
  readonly costUsd: (usage: Usage) => number | null;
}

/** What a request is rendered for. */
export interface OperationTarget {
  /** The provider's own name of the model. */
  readonly upstreamModel: string;
  readonly reportLoss: ReportLoss;
}

/** A dialect in which clients ask for an operation. `parseRequest` throws `GatewayError`. */
export interface OperationClientCodec<Request, Response> {
  parseRequest(body: JsonObject): Request;
  renderResponse(response: Response, context: OperationContext<Request>): JsonObject;
  renderError(failure: Failure, requestId: string): JsonObject;
}

/** A dialect in which providers serve an operation. Functions are pure and never throw on wire data. */
export interface OperationUpstreamCodec<Request, Response> {
  renderRequest(request: Request, target: OperationTarget): JsonObject;
  /** A failure value when a 200 body is an error or not of the dialect's shape. */
  parseResponse(body: JsonObject): Response | Failure;
  parseError(error: UpstreamError): Failure;
}
