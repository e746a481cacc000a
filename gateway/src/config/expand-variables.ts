import { isObject } from "#lib/json.ts";

import { pathText, type ConfigFault, type ConfigPath } from "./config-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** `${NAME}` or `${NAME:-default}`; `$${` stands for the characters themselves. */
const VARIABLE = /\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

export interface Expanded {
  readonly value: unknown;
  readonly faults: readonly (ConfigFault & { readonly at: ConfigPath })[];
}

/** Puts the environment's values in place of `${NAME}` in every text; unset ones are faults. */
export function expandVariables(value: unknown, env: Environment): Expanded {
  const faults: (ConfigFault & { readonly at: ConfigPath })[] = [];
  const expand = (node: unknown, at: ConfigPath): unknown => {
    if (Array.isArray(node)) return node.map((item, index) => expand(item, [...at, index]));
    if (isObject(node)) {
      const members = Object.entries(node);
      return Object.fromEntries(members.map(([key, item]) => [key, expand(item, [...at, key])]));
    }
    if (typeof node !== "string") return node;
    return node.replaceAll(VARIABLE, (...match: (string | undefined)[]) => {
      const [, escaped, name = "", fallback] = match;
      if (escaped !== undefined) return escaped;
      const found = env[name];
      if (found !== undefined && found !== "") return found;
      if (fallback !== undefined) return fallback;
      const message = `the environment variable ${name} is not set. Set it, or write \${${name}:-default}.`;
      faults.push({ path: pathText(at), at, message });
      return "";
    });
  };
  return { value: expand(value, []), faults };
}
