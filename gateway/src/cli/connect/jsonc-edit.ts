import { CliError } from "#cli/cli-io.ts";
import type { JsonValue } from "#lib/json.ts";

/** A value in the text, with where it lies. */
interface JsoncNode {
  readonly start: number;
  readonly end: number;
  /** Objects only. */
  readonly members?: readonly JsoncMember[];
}

interface JsoncMember {
  readonly key: string;
  readonly keyStart: number;
  readonly value: JsoncNode;
  /** Behind the value and the comma that may follow. */
  readonly end: number;
  readonly comma: boolean;
}

/**
 * Sets one member, at a path of names, in JSON with comments: everything else in the text stays as
 * it is, to the character. Settings files of editors hold comments and trailing commas, which
 * parsing and writing anew would lose. @throws CliError when the text is not of that kind
 */
export function setJsonc(text: string, path: readonly string[], value: JsonValue): string {
  const source = text.trim() === "" ? "{}\n" : text;
  const root = parseJsonc(source);
  return setIn({ source, unit: indentUnit(source), newline: newlineOf(source) }, root, {
    path,
    value,
  });
}

interface Target {
  readonly source: string;
  readonly unit: string;
  readonly newline: string;
}

interface Assignment {
  readonly path: readonly string[];
  readonly value: JsonValue;
}

function setIn(target: Target, node: JsoncNode, { path, value }: Assignment): string {
  const [key = "", ...rest] = path;
  const member = node.members?.findLast((each) => each.key === key);
  if (member === undefined) return insert(target, node, { path, value });
  if (rest.length > 0 && member.value.members !== undefined) {
    return setIn(target, member.value, { path: rest, value });
  }
  const { source } = target;
  const text = render(nested(rest, value), target, lineIndent(source, member.keyStart));
  return source.slice(0, member.value.start) + text + source.slice(member.value.end);
}

function insert(target: Target, node: JsoncNode, { path, value }: Assignment): string {
  const { source, unit, newline } = target;
  const [key = "", ...rest] = path;
  const last = node.members?.at(-1);
  const first = node.members?.[0];
  const onOneLine = first !== undefined && !source.slice(node.start, first.keyStart).includes("\n");
  const indent =
    first === undefined || onOneLine
      ? lineIndent(source, node.start) + unit
      : lineIndent(source, first.keyStart);
  const text = `${JSON.stringify(key)}: ${render(nested(rest, value), target, indent)}`;
  if (last === undefined) {
    // Comments may stand in an object without members: they stay, before the new one.
    const inner = source.slice(node.start + 1, node.end - 1).trimEnd();
    const closing = newline + lineIndent(source, node.start);
    const body = `{${inner}${newline}${indent}${text}${closing}}`;
    return source.slice(0, node.start) + body + source.slice(node.end);
  }
  const separator = onOneLine ? " " : newline + indent;
  const comma = last.comma ? "" : ",";
  const addition = `${comma}${separator}${text}${last.comma ? "," : ""}`;
  return source.slice(0, last.end) + addition + source.slice(last.end);
}

const nested = (path: readonly string[], value: JsonValue): JsonValue =>
  path.reduceRight<JsonValue>((inner, key) => ({ [key]: inner }), value);

const render = (value: JsonValue, { unit, newline }: Target, indent: string): string =>
  JSON.stringify(value, null, unit).replaceAll("\n", newline + indent);

const newlineOf = (text: string): string => (text.includes("\r\n") ? "\r\n" : "\n");

const indentUnit = (text: string): string => /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";

/** White space at the start of the line that holds a position. */
const lineIndent = (text: string, at: number): string =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", at - 1) + 1))?.[0] ?? "";

/** Reads the text's outermost object. */
function parseJsonc(text: string): JsoncNode {
  const parser = new JsoncParser(text);
  const root = parser.value();
  if (root.members === undefined || !parser.atEnd()) throw notJson(root.start);
  return root;
}

const notJson = (at: number): CliError =>
  new CliError(`the file is not JSON (at character ${at}). It is left as it is.`);

const SCALAR = /(?:"(?:[^"\\]|\\.)*"|true|false|null|-?\d[\d.eE+-]*)/y;
const SPACE = /(?:\uFEFF|\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const MAX_DEPTH = 100;

class JsoncParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): JsoncNode {
    this.#skip();
    const start = this.#at;
    const opening = this.#text[start];
    if (opening !== "{" && opening !== "[") {
      this.#match(SCALAR);
      return { start, end: this.#at };
    }
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw notJson(start);
    this.#at += 1;
    const members = opening === "{" ? this.#members() : this.#items();
    this.#depth -= 1;
    return members === undefined ? { start, end: this.#at } : { start, end: this.#at, members };
  }

  atEnd(): boolean {
    this.#skip();
    return this.#at === this.#text.length;
  }

  #members(): readonly JsoncMember[] {
    const members: JsoncMember[] = [];
    while (!this.#takes("}")) {
      const keyStart = this.#at;
      const key = this.#match(SCALAR);
      if (!key.startsWith('"') || !this.#takes(":")) throw notJson(this.#at);
      const value = this.value();
      const valueEnd = this.#at;
      const comma = this.#takes(",");
      const end = comma ? this.#at : valueEnd;
      members.push({ key: String(JSON.parse(key)), keyStart, value, end, comma });
      this.#skip();
      if (!comma && this.#text[this.#at] !== "}") throw notJson(this.#at);
    }
    return members;
  }

  #items(): undefined {
    while (!this.#takes("]")) {
      this.value();
      if (!this.#takes(",") && this.#text[this.#at] !== "]") throw notJson(this.#at);
    }
    return undefined;
  }

  #skip(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0;
  }

  /** Steps over white space and comments, and over the sign when it comes next. */
  #takes(sign: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string {
    this.#skip();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw notJson(this.#at);
    this.#at += found.length;
    return found;
  }
}
