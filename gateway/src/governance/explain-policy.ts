import type { PolicyDocument } from "@turnpike/contract/governance.ts";
import { keySettingsSchema } from "@turnpike/contract/governance.ts";

import type { Origin } from "#governance/access.ts";
import { placesAbove, policyLayers, settingsLayer, type Place } from "#governance/build-access.ts";
import type { DirectoryTables } from "#governance/directory-tables.ts";
import { inOrder, type PolicyLayer } from "#governance/effective-policy.ts";

/** How the levels' values of one part make the effective one. */
type Rule =
  /** A request must fit each list. */
  | "all-of"
  /** What is in any list is denied. */
  | "any-of"
  | "smallest"
  | "true-wins"
  /** No bound but a wish: the level nearest to the key. */
  | "narrowest"
  /** Each holds by itself. */
  | "each";

/** One part of a policy: what holds, and what each level says. */
export interface PolicyPart {
  readonly part: string;
  readonly rule: Rule;
  readonly effective: unknown;
  readonly from: readonly (Origin & { readonly value: unknown })[];
}

interface PartRow {
  readonly part: string;
  readonly rule: Rule;
  readonly of: (layer: PolicyLayer) => unknown;
}

const single = (part: keyof PolicyDocument, rule: Rule): PartRow => ({
  part,
  rule,
  of: ({ document }) => document[part],
});

const PARTS: readonly PartRow[] = [
  { part: "models.allow", rule: "all-of", of: ({ document }) => document.models?.allow },
  { part: "models.deny", rule: "any-of", of: ({ document }) => document.models?.deny },
  { part: "providers.allow", rule: "all-of", of: ({ document }) => document.providers?.allow },
  { part: "providers.deny", rule: "any-of", of: ({ document }) => document.providers?.deny },
  { part: "endpoints", rule: "all-of", of: ({ endpoints }) => endpoints },
  single("regions", "all-of"),
  single("zeroRetention", "true-wins"),
  single("noTraining", "true-wins"),
  single("deniedCapabilities", "any-of"),
  single("maxRequestUsd", "smallest"),
  single("maxInputUsdPerMillion", "smallest"),
  single("maxOutputUsdPerMillion", "smallest"),
  single("defaultMaxTokens", "smallest"),
  single("maxTokens", "smallest"),
  single("preference", "narrowest"),
  single("tasks", "narrowest"),
  single("limits", "each"),
  single("guardrails", "each"),
];

/** What holds at the end, part by part, and which level says what. Parts that no level names are left out. */
export function explainPolicy(given: readonly PolicyLayer[]): readonly PolicyPart[] {
  const layers = inOrder(given);
  return PARTS.flatMap(({ part, rule, of }) => {
    const from = layers.flatMap((layer) => {
      const value = of(layer);
      return value === undefined ? [] : [{ ...layer.origin, value }];
    });
    if (from.length === 0) return [];
    return [
      {
        part,
        rule,
        effective: effectiveOf(
          rule,
          from.map(({ value }) => value),
        ),
        from,
      },
    ];
  });
}

function effectiveOf(rule: Rule, values: readonly unknown[]): unknown {
  switch (rule) {
    case "any-of":
      return [...new Set((values as readonly unknown[][]).flat())];
    case "smallest":
      return values.toSorted((one, other) => Number(one) - Number(other))[0];
    case "true-wins":
      return values.includes(true);
    case "narrowest":
      return values.every((value) => typeof value === "object")
        ? Object.assign({}, ...values)
        : values.at(-1);
    case "all-of":
    case "each":
      return values;
  }
}

/** The same for a place of the tree, from the organization down to it; `undefined`: it is not there. */
export function explainPolicyAt(
  place: Place,
  tables: DirectoryTables,
): readonly PolicyPart[] | undefined {
  const places = placesAbove(place, tables);
  if (places === undefined) return undefined;
  const key = place.level === "key" ? tables.keys.get(place.id) : undefined;
  const own =
    key === undefined
      ? []
      : settingsLayer(key.id, keySettingsSchema.parse(JSON.parse(key.settings)));
  return explainPolicy([...policyLayers(places, tables), ...own]);
}
