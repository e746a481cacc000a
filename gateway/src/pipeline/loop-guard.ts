import { GatewayError, type Failure } from "#canonical/failure.ts";
import type { Call } from "#pipeline/call.ts";
import { headerText } from "#pipeline/exchange.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";

/**
 * The gateways that a request went through, the first one first: an id each, with commas between.
 *
 * A header of its own, since the two that there are belong to others. CDNs in front of a gateway count
 * themselves in `CDN-Loop` (RFC 8586) and refuse what passes them twice, as a request to a provider
 * behind the same CDN rightly does. `Via` (RFC 9110 §7.6.3) is for whoever relays the message itself, and
 * makes some servers change what they send.
 *
 * The id says only that two requests went through the same deployment. It is derived from the master
 * key, so that all gateways which share one are one, however a load balancer spreads the hops. It goes
 * only to base URLs that somebody has set: a provider's own address cannot lead back here, and need not
 * learn it. Whoever serves a base URL that was set is given that deployment's credential, and could tell
 * it from others by that. Headers of a client mean nothing else: a made-up id refuses nobody but its sender.
 */
export const VIA_HEADER = "x-turnpike-via";

const ID = /^[\w-]{1,64}$/;
/** Nobody means to put more gateways in a row; a header cannot grow without end. */
const MAX_HOPS = 16;

const hopsOf = ({ exchange }: Call): readonly string[] =>
  (headerText(exchange.headers, VIA_HEADER) ?? "")
    .split(",", MAX_HOPS + 1)
    .map((hop) => hop.trim())
    .filter((hop) => ID.test(hop));

/** Refuses a request that this gateway has sent itself, over whatever hops. Throws `loop_detected`. */
export function checkLoop(call: Call): void {
  if (call.exchange.headers[VIA_HEADER] === undefined) return;
  const hops = hopsOf(call);
  if (hops.includes(call.gateway.instanceId)) throw new GatewayError(LOOP);
  if (hops.length > MAX_HOPS) throw new GatewayError(TOO_MANY);
}

/** What is sent along to an address that may lead back here. */
export function viaHeaders(
  call: Call,
  { privateAddressAllowed, own }: Pick<ConfiguredProvider, "privateAddressAllowed" | "own">,
): Readonly<Record<string, string>> {
  const isSet = privateAddressAllowed || own?.isElsewhere === true;
  return isSet ? { [VIA_HEADER]: [...hopsOf(call), call.gateway.instanceId].join(", ") } : {};
}

const LOOP: Failure = {
  code: "loop_detected",
  message:
    "The request has come back to a gateway that it went through already: the base URL of a provider leads back to Turnpike. The operator should set it to the provider's own address, or leave it out.",
};

const TOO_MANY: Failure = {
  code: "loop_detected",
  message: `The request went through more than ${MAX_HOPS} gateways: a base URL among them most likely leads in a circle.`,
};
