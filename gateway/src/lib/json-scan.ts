/** Where a top-level member of a JSON object stands in its text. */
export interface MemberSpan {
  readonly key: string;
  /** From the opening quote of the key to the end of the value. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

export interface JsonScan {
  /** Members of the outermost object in their order, duplicates included. */
  readonly members: readonly MemberSpan[];
  /** Offset of the outermost `{`. */
  readonly open: number;
}

/** Deeper than any tool schema or conversation; recursion over such a body stays far from the stack's end. */
const MAX_DEPTH = 200;

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const COLON = 58;
const COMMA = 44;

/**
 * Finds the top-level members of JSON text that `JSON.parse` has accepted as an object, so that one
 * can be replaced without writing the others anew. Throws `RangeError` when nested over 200 deep.
 */
export function scanObject(text: string): JsonScan {
  const members: MemberSpan[] = [];
  const open = text.indexOf("{");
  let depth = 0;
  let keyStart = -1;
  let keyEnd = -1;
  let valueStart = -1;
  const closeMember = (end: number): void => {
    if (keyStart === -1) return;
    const key = JSON.parse(text.slice(keyStart, keyEnd)) as string;
    members.push({ key, start: keyStart, valueStart, end: trimEnd(text, end) });
    keyStart = -1;
    valueStart = -1;
  };
  for (let at = open; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        if (depth === 1 && keyStart === -1) {
          keyStart = at;
          keyEnd = end;
        }
        at = end - 1;
        break;
      }
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++depth > MAX_DEPTH) throw new RangeError(`nested over ${MAX_DEPTH} levels deep`);
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (--depth === 0) closeMember(at);
        break;
      case COLON:
        if (depth === 1 && valueStart === -1) valueStart = trimStart(text, at + 1);
        break;
      case COMMA:
        if (depth === 1) closeMember(at);
        break;
      default:
    }
  }
  return { members, open };
}

/** The first key that stands twice: parsers disagree about which of them counts. */
export function duplicateKey(scan: JsonScan): string | undefined {
  const seen = new Set<string>();
  for (const { key } of scan.members) {
    if (seen.has(key)) return key;
    seen.add(key);
  }
  return undefined;
}

/**
 * The text with some top-level members set (to JSON text) or removed (`undefined`); every other
 * byte stays. Members that are not there yet are added at the front.
 */
export function patchObject(
  text: string,
  scan: JsonScan,
  changes: Readonly<Record<string, string | undefined>>,
): string {
  const added = Object.entries(changes).filter(
    ([key, value]) => value !== undefined && !scan.members.some((member) => member.key === key),
  );
  const members = added.map(([key, value]) => `${JSON.stringify(key)}:${value}`);
  const kept: string[] = [];
  for (const member of scan.members) {
    if (!Object.hasOwn(changes, member.key)) kept.push(text.slice(member.start, member.end));
    else if (changes[member.key] !== undefined) {
      kept.push(text.slice(member.start, member.valueStart) + changes[member.key]);
    }
  }
  return `{${[...members, ...kept].join(",")}}`;
}

/** Where the value of a member stands. */
export interface ValueSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * The value of an outermost member that holds an object, found from the text's end: answers carry
 * their usage last, and the rest of them need not be looked at. `undefined` when the last member of
 * that name is not such a one; `scanObject` then knows.
 */
export function findLastObject(text: string, key: string): ValueSpan | undefined {
  const at = text.lastIndexOf(`"${key}"`);
  if (at === -1) return undefined;
  const colon = trimStart(text, at + key.length + 2);
  const start = trimStart(text, colon + 1);
  if (text.charCodeAt(colon) !== COLON || text.charCodeAt(start) !== OPEN_BRACE) return undefined;
  let depth = 0;
  let end = -1;
  for (let position = start; position < text.length; position++) {
    switch (text.charCodeAt(position)) {
      case QUOTE:
        position = endOfString(text, position) - 1;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth++;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (--depth === 0 && end === -1) end = position + 1;
        break;
      default:
    }
  }
  // One bracket is open before the member: it is an outermost one.
  return depth === -1 ? { start, end } : undefined;
}

function endOfString(text: string, open: number): number {
  let at = open + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

function trimStart(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

function trimEnd(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at - 1))) at--;
  return at;
}
