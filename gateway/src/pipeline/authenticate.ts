import type { Access } from "#governance/access.ts";
import { headerText, type Exchange } from "#pipeline/exchange.ts";
import type { Gateway } from "#pipeline/gateway.ts";

/**
 * Finds the caller's key where the SDKs send it: `Authorization: Bearer`, Anthropic's `x-api-key`,
 * Google's `x-goog-api-key`. Throws `unauthenticated`.
 */
export const authenticate = (
  exchange: Pick<Exchange, "headers" | "clientAddress">,
  keys: Gateway["keys"],
): Access => keys.authenticate(credentialOf(exchange), exchange.clientAddress);

export function credentialOf({ headers }: Pick<Exchange, "headers">): string | undefined {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headerText(headers, "authorization") ?? "")?.[1];
  return bearer ?? headerText(headers, "x-api-key") ?? headerText(headers, "x-goog-api-key");
}
