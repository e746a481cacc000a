/** Sizes of multi-row statements: few enough that each is built and prepared once. */
const SIZES = [32, 8, 1] as const;

/** Does all items in pieces of a few fixed sizes, begun at once. */
export function inChunks<Item, Result>(
  items: readonly Item[],
  run: (chunk: readonly Item[]) => Result,
): readonly Result[] {
  const results: Result[] = [];
  let at = 0;
  for (const size of SIZES) {
    for (; items.length - at >= size; at += size) results.push(run(items.slice(at, at + size)));
  }
  return results;
}
