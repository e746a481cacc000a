import { isAlphanumeric, type PersonalData } from "#privacy/detect/match.ts";
import { findPersonalData, replaceMatches } from "#privacy/redact.ts";

/** What may still change its meaning by what follows: longer than any number that people write. */
const TAIL = 64;
/** A word without an end is let go beyond this. */
const MAX_WORD = 4 * 1024;
/** And so much of something that was found and does not end, such as a private key. */
const MAX_HELD = 16 * 1024;

const SIGNS = new Set([34, 44, 59, 60, 62, 96, 123, 124, 125]);
const CJK = 0x2e80;

/** Nothing that is looked for reaches across such a character, apart from numbers with spaces. */
function isBoundary(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code <= 32 || code >= CJK || SIGNS.has(code);
}

export interface WindowOptions {
  /** What is redacted; absent: nothing. */
  readonly redact?: readonly PersonalData[] | undefined;
  /** Tells whether a text is to be stopped; sees what is let go with the words around it. */
  readonly isBlocked: (text: string) => boolean;
  /** Characters that `isBlocked` needs to see together; 0: it needs none. */
  readonly reach: number;
  /** Words are let go whole: what is looked for has no greatest length. */
  readonly wholeWords: boolean;
}

/**
 * Lets text through as it comes, a little behind: what may be the beginning of something stays until
 * it is known. So a match is found however the text is cut.
 */
export class TextWindow {
  readonly #options: WindowOptions;
  readonly #tail: number;
  /** What has been let go last, as it was: things are known by what stands before them. */
  #before = "";
  #held = "";
  /** The rest of a word that was too long to be held is left out. */
  #swallows = false;
  isBlocked = false;

  constructor(options: WindowOptions) {
    this.#options = options;
    this.#tail = Math.max(options.wholeWords ? TAIL : 0, options.reach);
  }

  /** What may go on now. */
  push(text: string): string {
    this.#held += this.#swallows ? this.#swallow(text) : text;
    const seen = this.#before + this.#held;
    // A word that may go on is not yet the word that it looks like.
    return this.#check(isAlphanumeric(seen, seen.length - 1) ? `${seen}x` : seen)
      ? this.#letGo(this.#cut())
      : "";
  }

  /** The rest: the block has ended. */
  end(): string {
    return this.#check(this.#before + this.#held) ? this.#letGo(this.#held.length) : "";
  }

  #check(text: string): boolean {
    this.isBlocked ||= this.#options.isBlocked(text);
    return !this.isBlocked;
  }

  #swallow(text: string): string {
    let at = 0;
    while (at < text.length && !isBoundary(text, at)) at++;
    this.#swallows = at === text.length;
    return text.slice(at);
  }

  /** The furthest place that nothing can reach across. */
  #cut(): number {
    const last = Math.max(0, this.#held.length - this.#tail);
    if (!this.#options.wholeWords) return last;
    const floor = Math.max(0, this.#held.length - MAX_WORD);
    let at = last;
    while (at > floor && !isBoundary(this.#held, at - 1)) at--;
    return at;
  }

  #letGo(cut: number): string {
    if (cut === 0) return "";
    const { redact } = this.#options;
    if (redact === undefined) return this.#take(cut);
    const skip = this.#before.length;
    const matches = findPersonalData(this.#before + this.#held, redact)
      .map(({ type, start, end }) => ({ type, start: Math.max(0, start - skip), end: end - skip }))
      .filter(({ end }) => end > 0);
    const across = matches.find(({ start, end }) => start < cut && end > cut);
    const isEndless = across !== undefined && this.#held.length > MAX_HELD;
    const isLongWord = across !== undefined && cut === this.#held.length - MAX_WORD;
    const isForced = isEndless || isLongWord;
    const until = across === undefined ? cut : isForced ? across.end : across.start;
    this.#swallows = isForced && until === this.#held.length;
    const text = replaceMatches(
      this.#held.slice(0, until),
      matches.filter(({ end }) => end <= until),
    );
    this.#take(until);
    return text;
  }

  #take(count: number): string {
    const text = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    this.#before = (this.#before + text).slice(-Math.max(TAIL, this.#options.reach));
    return text;
  }
}
