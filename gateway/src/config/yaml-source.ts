import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";

import type { ConfigFault, ConfigPath } from "./config-error.ts";

/** A YAML document and where its lines begin. */
export interface Source {
  readonly document: Document;
  readonly lines: LineCounter;
}

/** Parses a text; what is wrong with it is in `document.errors`. */
export function openYaml(text: string): Source {
  const lines = new LineCounter();
  return { document: parseDocument(text, { lineCounter: lines, prettyErrors: true }), lines };
}

/** An alias bomb (`&a [*a, *a]`) is refused by the parser when the value is built. */
export function toValue(
  document: Document,
  refuse: (faults: readonly ConfigFault[]) => never,
): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    return refuse([{ path: "", message: error instanceof Error ? error.message : String(error) }]);
  }
}

/** What the parser says, with the line. */
export function syntaxFault(error: Document["errors"][number]): ConfigFault {
  const line = error.linePos?.[0].line;
  const message = error.message.split(" at line ")[0] ?? error.message;
  return { path: "", message, ...(line !== undefined && { line }) };
}

/** The fault with the line of the deepest part of its path that is in the file. */
export function faultAt(
  { document, lines }: Source,
  at: ConfigPath,
  fault: ConfigFault,
): ConfigFault {
  const offset = offsetOf(document, at);
  return offset === undefined ? fault : { ...fault, line: lines.linePos(offset).line };
}

/** Where the deepest part of the path that is in the file begins. */
function offsetOf(document: Document, path: ConfigPath): number | undefined {
  const root = document.contents;
  let place: Place = { node: root, offset: startOf(root) };
  for (const part of path) {
    const next = step(place.node, part);
    if (next.offset === undefined) break;
    place = next;
  }
  return place.offset;
}

interface Place {
  readonly node: Node | null | undefined;
  readonly offset: number | undefined;
}

const startOf = (node: Node | null | undefined): number | undefined => node?.range?.[0];

/** One step down: a member counts from its key, an item from itself. */
function step(node: Place["node"], part: string | number): Place {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
    return { node: pair?.value as Node | null, offset: startOf(pair?.key as Node | undefined) };
  }
  const item = isSeq(node) ? (node.items[Number(part)] as Node | undefined) : undefined;
  return { node: item, offset: startOf(item) };
}
