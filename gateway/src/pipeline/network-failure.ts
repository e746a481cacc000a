import type { Failure } from "#canonical/failure.ts";
import { BlockedAddressError } from "#upstream/guarded-lookup.ts";

/** Why an attempt was aborted by the gateway itself; carried as the reason of the abort signal. */
export class AttemptAborted extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.name = "AttemptAborted";
    this.failure = failure;
  }
}

const TIMEOUTS: ReadonlySet<string> = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/** Classifies what went wrong below HTTP. The message names no address: callers need not know it. */
export function networkFailure(error: Error): Failure {
  if (error instanceof AttemptAborted) return error.failure;
  if (error instanceof BlockedAddressError)
    return { code: "upstream_unreachable", message: error.message };
  const code = codeOf(error);
  if (TIMEOUTS.has(code)) {
    return {
      code: "upstream_timeout",
      message: "The provider did not answer in time.",
      upstreamCode: code,
    };
  }
  if (error instanceof RangeError) {
    return {
      code: "upstream_malformed",
      message: `The provider's answer cannot be used: ${error.message}.`,
    };
  }
  return {
    code: "upstream_unreachable",
    message: `The connection to the provider failed (${code}).`,
    upstreamCode: code,
  };
}

function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === "string") return code;
  return error.cause instanceof Error ? codeOf(error.cause) : error.name;
}
