import type { PriceOverrideDocument } from "@turnpike/contract/governance.ts";

import { globPattern, globsMeet, type NamePattern } from "#lib/glob.ts";

/** An endpoint, as overrides name one. */
interface Named {
  readonly model: string;
  readonly provider: string;
}

/**
 * Which override's prices an endpoint has: the one that names its model most exactly (the full name,
 * then the glob with the most letters, then none), and of those the one that names its provider.
 * So nothing depends on an order, which neither a file nor a database would keep.
 */
export function overrideOf(
  endpoint: Named,
  overrides: readonly PriceOverrideDocument[],
): PriceOverrideDocument | undefined {
  let best: PriceOverrideDocument | undefined;
  let highest = -1;
  for (const override of overrides) {
    const rank = rankAt(override, endpoint);
    if (rank > highest) [best, highest] = [override, rank];
  }
  return best;
}

/** -1: it does not name the endpoint. */
function rankAt(override: PriceOverrideDocument, { model, provider }: Named): number {
  if (override.providers?.includes(provider) === false) return -1;
  const ranks = globsOf(override).map((glob) =>
    patternOf(glob).test(model) ? rankOf(glob, override) : -1,
  );
  return Math.max(-1, ...ranks);
}

/** No list of models is a list of all. */
const globsOf = ({ models = ["*"] }: PriceOverrideDocument): readonly string[] => models;

function rankOf(glob: string, { providers }: PriceOverrideDocument): number {
  const letters = glob.replaceAll("*", "").length;
  const isExact = letters === glob.length;
  return letters * 4 + (isExact ? 2 : 0) + (providers === undefined ? 0 : 1);
}

/**
 * What two overrides name equally exactly, as a glob of each; such two would leave it open what an
 * endpoint costs.
 */
export function sharedModels(
  one: PriceOverrideDocument,
  other: PriceOverrideDocument,
): readonly [string, string] | undefined {
  if (!haveProviderInCommon(one, other)) return undefined;
  for (const glob of globsOf(one)) {
    const rank = rankOf(glob, one);
    const same = globsOf(other).find(
      (against) => rankOf(against, other) === rank && globsMeet(glob, against),
    );
    if (same !== undefined) return [glob, same];
  }
  return undefined;
}

function haveProviderInCommon(
  { providers: ones }: PriceOverrideDocument,
  { providers: others }: PriceOverrideDocument,
): boolean {
  // Who names a provider and who does not are never of one rank.
  if (ones === undefined || others === undefined) return ones === others;
  return ones.some((provider) => others.includes(provider));
}

const patterns = new Map<string, NamePattern>();
const MAX_PATTERNS = 10_000;

function patternOf(glob: string): NamePattern {
  let pattern = patterns.get(glob);
  if (pattern !== undefined) return pattern;
  if (patterns.size >= MAX_PATTERNS) patterns.clear();
  patterns.set(glob, (pattern = globPattern(glob)));
  return pattern;
}
