import { createHash } from "node:crypto";

import type { Rates } from "@turnpike/contract/governance.ts";

import type { Access, LevelLimits } from "#governance/access.ts";
import { globPattern } from "#lib/glob.ts";
import type { Claim, LimitKind } from "#limits/claim.ts";

/** What of a request its limits look at. */
export interface Limited {
  readonly endUser: string | undefined;
  /** The model that is to answer, under each of its names. */
  readonly models: readonly string[];
  /** Estimated input. */
  readonly inputTokens: number;
  /** Input and the largest output that it may have, or an estimate of it. */
  readonly boundTokens: number;
}

/** One number of one level, ready to be claimed of. */
interface Rule extends Pick<Claim, "kind" | "limit" | "level" | "targetId" | "source"> {
  readonly key: string;
  readonly of?: "end user" | "model";
  readonly model?: RegExp;
}

/** Read once an access: they change with it only. */
const known = new WeakMap<Access, readonly Rule[]>();

/** What a request claims of all limits of its key; the widest level first. */
export function claimsOf(access: Access, limited: Limited): readonly Claim[] {
  let rules = known.get(access);
  if (rules === undefined) known.set(access, (rules = rulesOf(access)));
  return rules.flatMap((rule) => claimOf(rule, limited));
}

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

function claimOf({ model, ...rule }: Rule, limited: Limited): readonly Claim[] {
  const { kind, limit } = rule;
  const amount = kind === "tokens" ? reserved(limited, limit) : 1;
  if (rule.of === undefined) return [{ ...rule, amount }];
  if (rule.of === "end user") {
    // Who names nobody is one user: else the limit would be left by leaving the name out.
    return [{ ...rule, key: `${rule.key}:${short(limited.endUser ?? "")}`, amount }];
  }
  const [name = ""] = limited.models;
  if (!limited.models.some((one) => model?.test(one.toLowerCase()))) return [];
  return [{ ...rule, key: `${rule.key}:${short(name)}`, amount }];
}

/**
 * An output bound is seldom used up, and agents send large ones: alone it makes no request too large
 * for its limit. What was used is counted in any case.
 */
const reserved = ({ inputTokens, boundTokens }: Limited, limit: number): number =>
  Math.max(inputTokens, Math.min(boundTokens, limit));

/** Callers' own words, of any length, as part of a name. */
const short = (text: string): string =>
  createHash("sha256").update(text).digest("base64url").slice(0, 16);
