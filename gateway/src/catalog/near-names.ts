const LONGEST_NAME = 64;
const LONGEST_LIST = 20;

/** A name cut into the words that a person would mix up or forget. */
interface Entry {
  readonly name: string;
  readonly pairs: ReadonlySet<string>;
}

/** Finds names that look like a wrong one, for "did you mean". */
export type NearNames = (name: string, limit: number) => readonly string[];

/**
 * Prepares the search over `names`. Likeness is the share of common letter pairs (Dice), which costs
 * time in proportion to the name's length; names are cut at 64 letters, so that a hostile one costs
 * no more than a long one.
 */
export function buildNearNames(names: readonly string[]): NearNames {
  const entries: readonly Entry[] = names.map((name) => ({ name, pairs: letterPairs(name) }));
  return (name, limit) => {
    const wanted = letterPairs(name.slice(0, LONGEST_NAME).toLowerCase());
    return entries
      .map((entry) => ({ name: entry.name, likeness: likeness(wanted, entry.pairs) }))
      .filter((entry) => entry.likeness >= 0.4)
      .sort((a, b) => b.likeness - a.likeness || (a.name < b.name ? -1 : 1))
      .slice(0, Math.min(Math.max(limit, 0), LONGEST_LIST))
      .map((entry) => entry.name);
  };
}

function letterPairs(name: string): ReadonlySet<string> {
  const cut = name.slice(0, LONGEST_NAME);
  const pairs = new Set<string>();
  for (let index = 0; index + 1 < cut.length; index += 1) pairs.add(cut.slice(index, index + 2));
  return pairs;
}

function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (a.size === 0 || b.size === 0) return 0;
  let common = 0;
  for (const pair of a) if (b.has(pair)) common += 1;
  return (2 * common) / (a.size + b.size);
}
