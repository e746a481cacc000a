import { invalidRequest } from "#canonical/failure.ts";

import { isVariableValue } from "./build-url.ts";
import type { Environment, Provider, Variable } from "./provider.ts";

export interface VariableSources {
  /** Values from the operator's settings; they go before the environment's. */
  readonly given: Readonly<Record<string, string>>;
  readonly env: Environment;
  /** A variable that stands in the base URL alone is not needed where that is replaced. */
  readonly baseUrlReplaced: boolean;
}

/** All values, or the environment variables of the first that is missing. */
export type FoundVariables =
  | { readonly values: Readonly<Record<string, string>> }
  | { readonly missing: readonly string[] };

interface Named {
  /** What the operator wrote: the setting or the environment variable. */
  readonly field: string;
  readonly value: string;
}

function findValue(
  name: string,
  variable: Variable,
  { given, env }: VariableSources,
): Named | undefined {
  const setting = given[name]?.trim() ?? "";
  if (setting !== "") return { field: name, value: setting };
  for (const field of variable.env) {
    const value = env[field]?.trim() ?? "";
    if (value !== "") return { field, value };
  }
  return variable.default === undefined ? undefined : { field: name, value: variable.default };
}

/** The values of a row's variables. Throws `invalid_request` for one that no URL can carry. */
export function findVariables(
  row: Pick<Provider, "variables" | "baseUrl">,
  sources: VariableSources,
): FoundVariables {
  const values: Record<string, string> = {};
  for (const [name, variable] of Object.entries(row.variables ?? {})) {
    const found = findValue(name, variable, sources);
    if (found === undefined) {
      if (sources.baseUrlReplaced && row.baseUrl.includes(`{${name}}`)) continue;
      return { missing: variable.env };
    }
    const { field, value } = found;
    if (!isVariableValue(value)) {
      throw invalidRequest(field, `${field} may hold letters, digits, dots, dashes and _ only.`);
    }
    values[name] = value;
  }
  return { values };
}
