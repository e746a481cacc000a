import { parseObject } from "#lib/json.ts";

/** One piece of text in a JSON document. */
export interface JsonText {
  /** Such as `messages[2].content[0].text`; of text in text the outer path goes on. */
  readonly path: string;
  readonly value: string;
  /** Names and whole numbers are looked at too: people's tools have them as arguments. */
  readonly kind: "value" | "name" | "number";
}

/** Returns the text as it is to be; the same one where it stays. */
export type MapText = (text: JsonText) => string;

/**
 * Members that say how to read something, not what was said. Whatever is not listed is text: a field
 * that nobody thought of must be checked, not skipped.
 */
const STRUCTURE: ReadonlySet<string> = new Set([
  "type",
  "role",
  "id",
  "model",
  "modelVersion",
  "responseId",
  "object",
  "status",
  "call_id",
  "tool_call_id",
  "tool_use_id",
  "file_id",
  "item_id",
  "response_id",
  "previous_response_id",
  "container_id",
  "mime_type",
  "mimeType",
  "media_type",
  "mediaType",
  "encoding_format",
  "service_tier",
  "finish_reason",
  "finishReason",
  "stop_reason",
  "system_fingerprint",
  "encrypted_content",
  "thoughtSignature",
  "thought_signature",
  "reasoning_effort",
  "effort",
]);

/** Whole branches without text of anybody's. */
const BRANCHES: ReadonlySet<string> = new Set([
  "signature",
  "usage",
  "usageMetadata",
  "cache_control",
  "embedding",
  "embeddings",
  "bytes",
]);

/** The gateway's own members of a request: read before, and not forwarded. */
const OWN: ReadonlySet<string> = new Set(["models", "provider", "route", "cache", "tags"]);

/** What is in these is the caller's own: no name means anything there. */
const FREE: ReadonlySet<string> = new Set(["arguments", "args", "response", "metadata", "input"]);

/** JSON as text within JSON as text, and so on: tools' arguments are one level. */
const MAX_NESTING = 4;
const NUMBER_DIGITS = 12;

interface Frame {
  readonly path: string;
  readonly isFree: boolean;
  readonly isSkipped: boolean;
  readonly isArray: boolean;
  index: number;
  key: string;
}

/**
 * The document with each text as `map` wants it; every other byte stays. Takes JSON that has been
 * parsed before. Linear.
 */
export function mapJsonTexts(json: string, map: MapText): string {
  return new TextWalk(json, { map, base: "", nesting: 0 }).run();
}

interface WalkOptions {
  readonly map: MapText;
  readonly base: string;
  readonly nesting: number;
}

const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;
const COMMA = 44;
const MINUS = 45;

class TextWalk {
  readonly #json: string;
  readonly #options: WalkOptions;
  readonly #frames: Frame[] = [];
  readonly #out: string[] = [];
  #copied = 0;
  #expectsKey = false;

  constructor(json: string, options: WalkOptions) {
    this.#json = json;
    this.#options = options;
  }

  run(): string {
    const json = this.#json;
    for (let at = 0; at < json.length; at++) {
      const code = json.charCodeAt(at);
      if (code === QUOTE) at = this.#string(at) - 1;
      else if ((code >= 48 && code <= 57) || code === MINUS) at = this.#number(at) - 1;
      else this.#sign(code);
    }
    if (this.#out.length === 0) return json;
    this.#out.push(json.slice(this.#copied));
    return this.#out.join("");
  }

  #sign(code: number): void {
    const frame = this.#frames.at(-1);
    switch (code) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        this.#frames.push(this.#frame(code === OPEN_BRACKET));
        this.#expectsKey = code === OPEN_BRACE;
        return;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        this.#frames.pop();
        this.#expectsKey = false;
        return;
      case COLON:
        this.#expectsKey = false;
        return;
      case COMMA:
        if (frame === undefined) return;
        if (frame.isArray) frame.index++;
        this.#expectsKey = !frame.isArray;
        return;
      default:
    }
  }

  #frame(isArray: boolean): Frame {
    const parent = this.#frames.at(-1);
    const key = parent?.isArray === false ? parent.key : "";
    const isTop = this.#frames.length === 1;
    const opens = FREE.has(key) && !(isTop && (key === "input" || key === "response"));
    return {
      path: this.#path(),
      isArray,
      isFree: parent === undefined ? this.#options.nesting > 0 : parent.isFree || opens,
      isSkipped: parent?.isSkipped === true || (parent !== undefined && this.#isBranch(parent)),
      index: 0,
      key: "",
    };
  }

  #isBranch({ key, isFree, isArray }: Frame): boolean {
    if (isFree || isArray) return false;
    return BRANCHES.has(key) || (this.#frames.length === 1 && OWN.has(key));
  }

  #path(): string {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return this.#options.base;
    if (frame.isArray) return `${frame.path}[${frame.index}]`;
    return frame.path === "" ? frame.key : `${frame.path}.${frame.key}`;
  }

  /** Returns where the literal ends. */
  #string(start: number): number {
    const end = endOfString(this.#json, start);
    const literal = this.#json.slice(start, end);
    const value = literal.includes("\\") ? (JSON.parse(literal) as string) : literal.slice(1, -1);
    const frame = this.#frames.at(-1);
    if (this.#expectsKey && frame !== undefined) {
      frame.key = value;
      const isOpen = !frame.isSkipped && (frame.isFree || this.#frames.length > 1);
      if (isOpen) this.#replace(start, end, this.#mapped(value, "name"));
      return end;
    }
    if (!this.#isText(value)) return end;
    this.#replace(start, end, this.#inner(value) ?? this.#mapped(value, "value"));
    return end;
  }

  #number(start: number): number {
    let end = start + 1;
    while (/[\d.eE+-]/.test(this.#json.charAt(end))) end++;
    const text = this.#json.slice(start, end);
    const isSkipped = this.#frames.at(-1)?.isSkipped === true;
    if (!isSkipped && end - start >= NUMBER_DIGITS && /^\d+$/.test(text)) {
      const mapped = this.#options.map({ path: this.#path(), value: text, kind: "number" });
      if (mapped !== text) this.#replace(start, end, mapped);
    }
    return end;
  }

  #isText(value: string): boolean {
    const frame = this.#frames.at(-1);
    if (value === "" || frame?.isSkipped === true) return false;
    if (frame === undefined || frame.isFree) return true;
    if (frame.isArray) return !isDataUrl(value);
    if (STRUCTURE.has(frame.key) || BRANCHES.has(frame.key)) return false;
    if (this.#frames.length === 1 && OWN.has(frame.key)) return false;
    return !isData(frame.key, value);
  }

  /** JSON within a string is walked itself: redaction must leave it JSON. */
  #inner(value: string): string | undefined {
    const { map, nesting } = this.#options;
    if (nesting >= MAX_NESTING || !/^\s*\{/.test(value)) return undefined;
    if (parseObject(value) === undefined) return undefined;
    return new TextWalk(value, { map, base: this.#path(), nesting: nesting + 1 }).run();
  }

  #mapped(value: string, kind: "value" | "name"): string {
    return this.#options.map({ path: this.#path(), value, kind });
  }

  #replace(start: number, end: number, value: string): void {
    const literal = JSON.stringify(value);
    const before = this.#json.slice(start, end);
    if (literal === before || isSameText(before, value)) return;
    this.#out.push(this.#json.slice(this.#copied, start), literal);
    this.#copied = end;
  }
}

/** Escaped in another way, it says the same: the client's bytes stay. */
function isSameText(literal: string, value: string): boolean {
  return literal.startsWith('"') && JSON.parse(literal) === value;
}

/** Members that hold files, pictures and recordings, with the least length that nothing else has there. */
const DATA_LENGTHS: ReadonlyMap<string, number> = new Map([
  ["data", 16],
  ["b64_json", 16],
  ["file_data", 64],
  ["result", 256],
]);

/** Base64 where files are, or a `data:` URL anywhere. */
function isData(key: string, value: string): boolean {
  if (isDataUrl(value)) return true;
  const least = DATA_LENGTHS.get(key);
  return least !== undefined && value.length >= least && BASE64.test(value);
}

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const DATA_URL = /^data:[\w.+/-]{0,100}(?:;[\w=.+-]{0,100}){0,4};base64,/;

function isDataUrl(value: string): boolean {
  const head = DATA_URL.exec(value.slice(0, 600))?.[0];
  return head !== undefined && BASE64.test(value.slice(head.length));
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
