import type { PolicyDocument } from "@turnpike/contract/governance.ts";
import { LEVELS } from "@turnpike/contract/governance.ts";

import type { Capability, EffectivePolicy, Origin, Ruled, SingleRule } from "#governance/access.ts";
import { parseUsd } from "#lib/money.ts";

/** One level's policy. `endpoints` is what only a key's settings can bound. */
export interface PolicyLayer {
  readonly origin: Origin;
  readonly document: PolicyDocument;
  readonly endpoints?: readonly string[];
}

/** What a request without any policy has: one object, so that whoever asks can compare. */
export const NO_POLICY: EffectivePolicy = {
  allowedModels: [],
  deniedModels: [],
  allowedProviders: [],
  deniedProviders: [],
  allowedEndpoints: [],
  regions: [],
  zeroRetention: false,
  noTraining: false,
  deniedCapabilities: new Map(),
  tasks: new Map(),
  guardrails: [],
  origins: {},
};

/**
 * What all levels together allow: the strictest of each part wins, and lists all hold. Of what is no
 * bound (`preference`, `tasks`) the narrowest level's counts. The order of the layers does not matter.
 */
export function effectivePolicy(given: readonly PolicyLayer[]): EffectivePolicy {
  if (given.length === 0) return NO_POLICY;
  const layers = inOrder(given);
  const origins: Partial<Record<SingleRule, Origin>> = {};
  const single = <Value>(
    name: SingleRule,
    found: Ruled<Value> | undefined,
  ): Record<string, Value> => {
    if (found === undefined) return {};
    origins[name] = found.origin;
    return { [name]: found.value };
  };
  const smallest = (name: SingleRule, of: (document: PolicyDocument) => number | undefined) =>
    single(name, least(layers, of));
  const holds = (name: SingleRule, of: (document: PolicyDocument) => boolean | undefined) => ({
    [name]: false,
    ...single(
      name,
      firstOf(layers, (one) => of(one) === true || undefined),
    ),
  });
  return {
    ...NO_POLICY,
    ...listsOf(layers),
    ...holds("zeroRetention", ({ zeroRetention }) => zeroRetention),
    ...holds("noTraining", ({ noTraining }) => noTraining),
    deniedCapabilities: deniedCapabilities(layers),
    ...single(
      "maxRequestNanoUsd",
      least(layers, ({ maxRequestUsd: usd }) => (usd === undefined ? undefined : parseUsd(usd))),
    ),
    ...smallest("maxInputPicoUsdPerToken", (one) => picoUsd(one.maxInputUsdPerMillion)),
    ...smallest("maxOutputPicoUsdPerToken", (one) => picoUsd(one.maxOutputUsdPerMillion)),
    ...smallest("defaultMaxTokens", ({ defaultMaxTokens }) => defaultMaxTokens),
    ...smallest("maxTokens", ({ maxTokens }) => maxTokens),
    ...single(
      "preference",
      firstOf(layers.toReversed(), ({ preference }) => preference),
    ),
    tasks: tasksOf(layers),
    guardrails: layers.flatMap(({ document }) => document.guardrails ?? []),
    origins,
  };
}

/** From the widest level to the narrowest. */
export const inOrder = (layers: readonly PolicyLayer[]): readonly PolicyLayer[] =>
  layers.toSorted(widestFirst);

/** Of one level: by its source, so that the order in which they are given never decides. */
const widestFirst = (one: PolicyLayer, other: PolicyLayer): number =>
  LEVELS.indexOf(one.origin.level) - LEVELS.indexOf(other.origin.level) ||
  (one.origin.source < other.origin.source ? -1 : 1);

type Lists = Pick<
  EffectivePolicy,
  | "allowedModels"
  | "deniedModels"
  | "allowedProviders"
  | "deniedProviders"
  | "allowedEndpoints"
  | "regions"
>;

function listsOf(layers: readonly PolicyLayer[]): Lists {
  const lists = (
    of: (layer: PolicyLayer) => readonly string[] | undefined,
  ): readonly Ruled<readonly string[]>[] =>
    layers.flatMap((layer) => {
      const value = of(layer);
      // An empty list allows nothing, and denies nothing: it is no list that was left out.
      return value === undefined
        ? []
        : [{ value: value.map((name) => name.toLowerCase()), origin: layer.origin }];
    });
  return {
    allowedModels: lists(({ document }) => document.models?.allow),
    deniedModels: lists(({ document }) => document.models?.deny),
    allowedProviders: lists(({ document }) => document.providers?.allow),
    deniedProviders: lists(({ document }) => document.providers?.deny),
    allowedEndpoints: lists(({ endpoints }) => endpoints),
    regions: lists(({ document }) => document.regions),
  };
}

function least<Value extends number | bigint>(
  layers: readonly PolicyLayer[],
  of: (document: PolicyDocument) => Value | undefined,
): Ruled<Value> | undefined {
  let found: Ruled<Value> | undefined;
  for (const { document, origin } of layers) {
    const value = of(document);
    if (value === undefined) continue;
    if (found === undefined || value < found.value) found = { value, origin };
  }
  return found;
}

function firstOf<Value>(
  layers: readonly PolicyLayer[],
  of: (document: PolicyDocument) => Value | undefined,
): Ruled<Value> | undefined {
  for (const { document, origin } of layers) {
    const value = of(document);
    if (value !== undefined) return { value, origin };
  }
  return undefined;
}

function deniedCapabilities(layers: readonly PolicyLayer[]): ReadonlyMap<Capability, Origin> {
  const denied = new Map<Capability, Origin>();
  for (const { document, origin } of layers) {
    for (const name of document.deniedCapabilities ?? []) {
      if (!denied.has(name)) denied.set(name, origin);
    }
  }
  return denied;
}

function tasksOf(layers: readonly PolicyLayer[]): EffectivePolicy["tasks"] {
  const tasks = new Map<string, Ruled<string>>();
  for (const { document, origin } of layers) {
    for (const [task, value] of Object.entries(document.tasks ?? {})) {
      tasks.set(task, { value, origin });
    }
  }
  return tasks;
}

/** USD a million tokens is a millionth of it a token: 1 USD is 1,000,000 pico-USD a token. */
function picoUsd(usd: string | number | undefined): number | undefined {
  return usd === undefined ? undefined : Number(parseUsd(usd)) / 1_000;
}
