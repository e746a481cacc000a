import { GatewayError } from "#canonical/failure.ts";
import type { Call } from "#pipeline/call.ts";
import type { JsonBody } from "#pipeline/read-body.ts";

/** Whether nobody may keep anything of this request: its policy says so, or it does itself. */
export const isZeroRetention = ({ access, options }: Pick<Call, "access" | "options">): boolean =>
  access?.policy.zeroRetention === true || options?.provider.zdr === true;

/** Members by which a request names what a provider keeps of an earlier one. */
const KEPT_THERE = /"(?:file_id|fileUri|file_uri|cachedContent|cached_content|container)"\s*:/;

/**
 * Refuses what cannot be done without keeping something. Throws `invalid_request` in words: a wish
 * that is silently not granted would be found out when the answer is not there.
 */
export function refuseKeeping(call: Call, body: JsonBody): void {
  if (!isZeroRetention(call)) return;
  if (body.object["store"] === true) throw kept("store", 'Leave "store" out');
  if (KEPT_THERE.test(body.text)) throw kept("body", "Send the content itself");
}

const kept = (field: string, remedy: string): GatewayError =>
  new GatewayError({
    code: "invalid_request",
    field,
    message: `This request is under zero retention (its policy, or provider.zdr), and what it asks for is kept by somebody. ${remedy}.`,
  });
