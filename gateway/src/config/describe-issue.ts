import { configJsonSchema } from "@turnpike/contract/config-json-schema.ts";
import type { z } from "zod";

import { buildNearNames } from "#catalog/near-names.ts";
import { asArray, asObject, isObject, type JsonObject } from "#lib/json.ts";
import { issueText } from "#lib/issue-text.ts";

import type { ConfigPath } from "./config-error.ts";

type Issue = z.core.$ZodIssue;

/** The schema that names of settings are looked up in. */
type JsonSchema = () => JsonObject;

/** A fault with its place in the file: the key itself where a key is at fault. */
export interface PlacedFault {
  readonly at: ConfigPath;
  readonly message: string;
}

/** What zod found, as sentences: alternatives resolved, unknown keys with the known ones near them. */
export function describeIssue(
  issue: Issue,
  parent: ConfigPath = [],
  schema: JsonSchema = configJsonSchema,
): readonly PlacedFault[] {
  const at = [...parent, ...(issue.path as (string | number)[])];
  if (issue.code === "invalid_union") {
    return bestBranch(issue.errors).flatMap((inner) => describeIssue(inner, at, schema));
  }
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      at: [...at, key],
      message: unknownKey(key, knownKeys(schema(), at)),
    }));
  }
  return [{ at, message: sentence(issue, at) }];
}

/** A map that was taken for a list fails at its root; the branch that was meant fails deeper. */
function bestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const depth = (issues: readonly Issue[]): number => issues[0]?.path.length ?? 0;
  const isRoot = (issues: readonly Issue[]): boolean =>
    issues.some(({ code, path }) => code === "invalid_type" && path.length === 0);
  const meant = branches.filter((issues) => !isRoot(issues));
  return (meant.length > 0 ? meant : branches).toSorted((a, b) => depth(b) - depth(a))[0] ?? [];
}

function sentence(issue: Issue, at: ConfigPath): string {
  const isTime = String(at.at(-1)).endsWith("Ms") && issue.code === "invalid_type";
  return isTime ? "must be a whole number of milliseconds, such as 10000" : issueText(issue);
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = buildNearNames(known)(key, 2);
  // `baseurl` and `prot`: capitals and swapped letters are the usual slips.
  const folded = known.filter((name) => sameLetters(name, key));
  const hint = [...new Set([...folded, ...near])].slice(0, 2);
  return hint.length > 0
    ? `there is no such setting. Did you mean ${hint.join(" or ")}?`
    : `there is no such setting. Known here: ${known.join(", ")}.`;
}

const letters = (name: string): string => name.toLowerCase().split("").sort().join("");
const sameLetters = (a: string, b: string): boolean => letters(a) === letters(b);

/** The settings that there are at a path, read from the schema itself. */
function knownKeys(schema: JsonObject, path: ConfigPath): readonly string[] {
  let nodes: readonly JsonObject[] = [schema];
  for (const part of path) nodes = nodes.flatMap(alternatives).flatMap((node) => step(node, part));
  return [
    ...new Set(
      nodes.flatMap(alternatives).flatMap((node) => Object.keys(asObject(node["properties"]))),
    ),
  ];
}

const alternatives = (node: JsonObject): readonly JsonObject[] =>
  "anyOf" in node ? asArray(node["anyOf"]).filter(isObject).flatMap(alternatives) : [node];

function step(node: JsonObject, part: string | number): readonly JsonObject[] {
  const next =
    typeof part === "number"
      ? node["items"]
      : (asObject(node["properties"])[part] ?? node["additionalProperties"]);
  return isObject(next) ? [next] : [];
}
