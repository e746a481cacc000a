import { createHash } from "node:crypto";

import type { Rates } from "@turnpike/contract/governance.ts";

import type { Access, LevelLimits } from "#governance/access.ts";
import { globPattern, type NamePattern } from "#lib/glob.ts";
import type { Claim, LimitKind } from "#limits/claim.ts";

/** What of a request its limits look at. */
export interface Limited {
  readonly endUser: string | undefined;
  /** Estimated input. */
  readonly inputTokens: number;
  /** Input and the largest output that it may have, or an estimate of it. */
  readonly boundTokens: number;
}

/** One number of one level, ready to be claimed of. */
interface Rule extends Pick<Claim, "kind" | "limit" | "level" | "targetId" | "source"> {
  readonly key: string;
  readonly of?: "end user" | "model";
  readonly model?: NamePattern;
}

/** The limits of a key, by what must be known of a request before they can be claimed of. */
interface Rules {
  /** Nothing. */
  readonly entry: readonly Rule[];
  /** How large it is, and for whom. */
  readonly request: readonly Rule[];
  /** Which model is asked. */
  readonly model: readonly Rule[];
}

/** Read once an access: they change with it only. */
const known = new WeakMap<Access, Rules>();

function rulesFor(access: Access): Rules {
  const before = known.get(access);
  if (before !== undefined) return before;
  const all = rulesOf(access);
  const isEntry = ({ kind, of }: Rule): boolean => of === undefined && kind !== "tokens";
  const rules = {
    entry: all.filter(isEntry),
    request: all.filter((rule) => !isEntry(rule) && rule.of !== "model"),
    model: all.filter(({ of }) => of === "model"),
  };
  known.set(access, rules);
  return rules;
}

/** What every request of a key claims, whatever is in it; the widest level first. */
export const entryClaims = (access: Access): readonly Claim[] =>
  rulesFor(access).entry.map((rule) => ({ ...rule, amount: 1 }));

/** What a request claims beyond that: tokens, and what each end user may have. */
export const requestClaims = (access: Access, limited: Limited): readonly Claim[] =>
  rulesFor(access).request.map((rule) => ({
    ...rule,
    ...(rule.of === "end user" && {
      // Who names nobody is one user: else the limit would be left by leaving the name out.
      key: `${rule.key}:${short(limited.endUser ?? "")}`,
    }),
    amount: amountOf(rule, limited),
  }));

/** What an attempt claims of its model's own limits. `names`: all names of the model, its id first. */
export const modelClaims = (
  access: Access,
  names: readonly string[],
  limited: Limited,
): readonly Claim[] =>
  rulesFor(access)
    .model.filter(({ model }) => names.some((name) => model?.test(name.toLowerCase())))
    .map((rule) => ({
      ...rule,
      key: `${rule.key}:${short(names[0] ?? "")}`,
      amount: amountOf(rule, limited),
    }));

/** The limits of a key that count all its requests alike; nothing is claimed of them. */
export const plainLimits = (access: Access): readonly Claim[] => {
  const { entry, request } = rulesFor(access);
  return [...entry, ...request.filter(({ of }) => of === undefined)].map((rule) => ({
    ...rule,
    amount: 0,
  }));
};

function rulesOf({ organization, limits }: Access): readonly Rule[] {
  return limits.flatMap((level) => {
    const { perEndUser, perModel = {}, ...all } = level.limits;
    // One tag for all counters of an organization: a cluster keeps them on one server.
    const base = `tp:{${organization.id}}:${level.level}:${level.targetId}:${level.source}`;
    return [
      ...ratesOf(all, level, { key: base }),
      ...ratesOf(perEndUser ?? {}, level, { key: `${base}:user`, of: "end user" }),
      ...Object.entries(perModel).flatMap(([glob, rates]) =>
        ratesOf(rates, level, {
          key: `${base}:model:${short(glob)}`,
          of: "model",
          model: globPattern(glob),
        }),
      ),
    ];
  });
}

const KINDS: readonly (readonly [keyof Rates, LimitKind])[] = [
  ["requestsPerMinute", "requests"],
  ["tokensPerMinute", "tokens"],
  ["concurrent", "concurrent"],
];

function ratesOf(
  rates: Rates,
  { level, targetId, source }: LevelLimits,
  apart: Pick<Rule, "key" | "of" | "model">,
): readonly Rule[] {
  return KINDS.flatMap(([name, kind]) => {
    const limit = rates[name];
    if (limit === undefined) return [];
    return [{ ...apart, key: `${apart.key}:${kind}`, kind, limit, level, targetId, source }];
  });
}

const amountOf = ({ kind, limit }: Rule, limited: Limited): number =>
  kind === "tokens" ? reserved(limited, limit) : 1;

/**
 * An output bound is seldom used up, and agents send large ones: alone it makes no request too large
 * for its limit. What was used is counted in any case.
 */
const reserved = ({ inputTokens, boundTokens }: Limited, limit: number): number =>
  Math.max(inputTokens, Math.min(boundTokens, limit));

/** Callers' own words, of any length, as part of a name. */
const short = (text: string): string =>
  createHash("sha256").update(text).digest("base64url").slice(0, 16);
