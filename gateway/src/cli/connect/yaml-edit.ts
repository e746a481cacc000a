import { isMap, isSeq, parseDocument, type Document } from "yaml";

import { CliError } from "#cli/cli-io.ts";
import type { JsonObject } from "#lib/json.ts";

function open(text: string, start: string): Document {
  const document = parseDocument(text.trim() === "" ? start : text);
  if (document.errors.length === 0 && isMap(document.contents)) return document;
  throw new CliError("the file is not a YAML map. It is left as it is.");
}

/** Long lines are not folded: they were not ours to fold. */
const write = (document: Document): string => document.toString({ lineWidth: 0 });

/** Sets top-level members of a YAML map; comments stay. */
export function setYaml(text: string, values: Readonly<Record<string, string>>): string {
  const document = open(text, "{}");
  if (isMap(document.contents)) document.contents.flow = false;
  for (const [key, value] of Object.entries(values)) document.set(key, value);
  return write(document);
}

/** Puts an item into a top-level list, in place of the one of the same name. */
export function setYamlItem(
  text: string,
  list: { readonly key: string; readonly start: string },
  item: JsonObject & { readonly name: string },
): string {
  const document = open(text, list.start);
  const items = document.get(list.key, true);
  if (!isSeq(items)) {
    document.set(list.key, document.createNode([item]));
    return write(document);
  }
  items.flow = false;
  const isSame = (each: unknown): boolean => isMap(each) && each.get("name") === item.name;
  const at = items.items.findIndex(isSame);
  if (at === -1) items.add(document.createNode(item));
  else items.items[at] = document.createNode(item);
  return write(document);
}
