import { createHash } from "node:crypto";

import { GatewayError, invalidRequest, type Failure } from "#canonical/failure.ts";
import type { Claim } from "#ledger/idempotency.ts";
import { formatUsd } from "#lib/money.ts";
import type { Call } from "#pipeline/call.ts";
import { headerText } from "#pipeline/exchange.ts";

const MAX_KEY = 255;

/**
 * Where a client gives its request an `Idempotency-Key`: nothing is done twice under it. Throws what
 * a repetition is told; an answer is never kept, so it is not given again either.
 */
export async function claimIdempotency(call: Call): Promise<void> {
  const { exchange, gateway, access } = call;
  const key = headerText(exchange.headers, "idempotency-key");
  if (key === undefined || key === "" || access === undefined) return;
  if (key.length > MAX_KEY) {
    throw invalidRequest("Idempotency-Key", `It is longer than ${MAX_KEY} characters.`);
  }
  const { operation, protocol, pathModel = "", pathVerb = "" } = exchange;
  const scope = [access.organization.id, access.key.id, operation, protocol, pathModel, pathVerb];
  const claim = await gateway.idempotencyKeys.claim({
    id: sha256(JSON.stringify([...scope, key])),
    bodyDigest: sha256(exchange.body),
    requestId: exchange.requestId,
  });
  if (claim.as !== "first") throw new GatewayError(repeated(claim));
  call.lease = claim.lease;
}

const sha256 = (text: string | Buffer): string => createHash("sha256").update(text).digest("hex");

function repeated(claim: Exclude<Claim, { readonly as: "first" }>): Failure {
  const { requestId } = claim;
  switch (claim.as) {
    case "in-flight":
      return {
        code: "idempotency_in_flight",
        field: "Idempotency-Key",
        message: `The request with this idempotency key (${requestId}) is still being answered.`,
        retryAfterMs: 1_000,
      };
    case "other-body":
      return {
        code: "idempotency_mismatch",
        field: "Idempotency-Key",
        message: `This idempotency key was used for another body (${requestId}). Use a new key for a new request.`,
      };
    case "completed": {
      const { chargeNanoUsd, inputTokens, outputTokens } = claim.told;
      const charge =
        chargeNanoUsd === undefined ? "" : `, charged ${formatUsd(BigInt(chargeNanoUsd))} USD`;
      const usage =
        inputTokens === undefined
          ? ""
          : `, ${inputTokens} input and ${outputTokens ?? 0} output tokens`;
      return {
        code: "already_completed",
        field: "Idempotency-Key",
        message: `The request with this idempotency key was answered as ${requestId}${usage}${charge}. Answers are not kept: it is neither repeated nor charged again.`,
      };
    }
  }
}

/** Once the request has ended: a key whose request was answered stays, another one is given back. */
export async function endIdempotency(call: Call): Promise<void> {
  const { lease, gateway, exchange, answeredWith } = call;
  if (lease === undefined) return;
  try {
    await (answeredWith === undefined ? lease.release() : lease.finish(answeredWith));
  } catch {
    gateway.log.error({ requestId: exchange.requestId }, "an idempotency key was not noted");
  }
}
