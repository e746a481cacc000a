import type { Access } from "#governance/access.ts";
import { routesOf } from "#pipeline/call-money.ts";
import type { Spending } from "#pipeline/call.ts";
import type { Plan } from "#routing/route.ts";

/** Fewer output tokens than these are no answer; whoever asks for fewer gets those. */
export const LEAST_USEFUL_TOKENS = 256;
/** Where neither the caller, a policy nor the catalogue bounds the output. */
const USUAL_CEILING = 16_384;
/** No model writes more; also what a hostile number counts as. */
const MOST_TOKENS = 10_000_000;

/**
 * The output that a request wants, and the bound that is written into it even where no money bounds
 * it: a policy's. The client's own bound stays as it is where it is within all of that.
 */
export function wantedOutput(
  access: Access | undefined,
  spending: Spending | undefined,
  plan: Plan,
): { readonly tokens: number; readonly bound?: number } {
  if (spending?.writes !== true) return { tokens: 0 };
  const { defaultMaxTokens, maxTokens = MOST_TOKENS } = access?.policy ?? {};
  const asked = usableBound(spending.outputTokens) ?? defaultMaxTokens;
  const tokens = Math.min(asked ?? ceilingOf(plan), maxTokens, MOST_TOKENS);
  const isPolicy = access?.policy.maxTokens !== undefined || defaultMaxTokens !== undefined;
  return isPolicy ? { tokens, bound: tokens } : { tokens };
}

/** What is no number of tokens bounds nothing: negative, a fraction of one, none. */
const usableBound = (bound: number | undefined): number | undefined =>
  bound !== undefined && bound >= 1 ? Math.floor(Math.min(bound, MOST_TOKENS)) : undefined;

const ceilingOf = (plan: Plan): number =>
  Math.max(...routesOf(plan).map(({ endpoint }) => endpoint.maxOutputTokens ?? USUAL_CEILING));
