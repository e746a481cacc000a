/** Something that names fit or do not. */
export interface NamePattern {
  test(name: string): boolean;
}

/**
 * Whether a name fits a glob: `claude-*`, `openai/gpt-5*`; a star stands for anything, case for nothing.
 *
 * Tenants write globs and callers write names, so this is no regular expression: with a dozen stars one
 * takes minutes to say no to a name of forty letters, and the whole gateway waits. The first place where
 * a part fits is as good as any later one, so looking once from left to right is enough.
 */
export function globPattern(glob: string): NamePattern {
  const [first = "", ...others] = glob.toLowerCase().split(/\*+/);
  const last = others.pop();
  if (last === undefined) return { test: (name) => name.toLowerCase() === first };
  return {
    test(name) {
      const text = name.toLowerCase();
      const end = text.length - last.length;
      if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
      return holdsInOrder(text.slice(first.length, end), others);
    },
  };
}

function holdsInOrder(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

/** Whether there is a name that fits both globs. */
export function globsMeet(one: string, other: string): boolean {
  const a = one.toLowerCase();
  const b = other.toLowerCase();
  // `meets[j]`: whether what is left of `a` and `b` from its j-th letter on share a name.
  let meets: boolean[] = [];
  for (let i = a.length; i >= 0; i--) {
    const below = meets;
    meets = Array.from({ length: b.length + 1 }, () => false);
    for (let j = b.length; j >= 0; j--) meets[j] = meetsAt(i, j, below);
  }
  return meets[0] === true;

  function meetsAt(i: number, j: number, below: readonly boolean[]): boolean {
    if (i === a.length && j === b.length) return true;
    const isStar = a[i] === "*" || b[j] === "*";
    // A star is over, or it takes one more letter of the other.
    if (isStar) return below[j] === true || meets[j + 1] === true;
    return a[i] === b[j] && below[j + 1] === true;
  }
}
