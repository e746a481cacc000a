const SEGMENT = /^[A-Za-z0-9._:@-]{1,200}$/;

/**
 * Checks a model, deployment, region or project name before it goes into an upstream URL, and
 * encodes it as one segment. Ids with slashes (`accounts/fireworks/models/x`) are checked piece by
 * piece. Names with `..`, `%`, `#`, `?` or spaces have reached other authenticated paths in several
 * gateways and SDKs (openai-node #2337, LiteLLM #26860): here they are `undefined`.
 */
export function pathSegment(name: string): string | undefined {
  const pieces = name.split("/");
  for (const piece of pieces) {
    if (!SEGMENT.test(piece) || piece === "." || piece === "..") return undefined;
  }
  return encodeURIComponent(name);
}
