import type { RateLimits } from "@turnpike/contract/governance.ts";

import type { Access } from "#governance/access.ts";
import { plainLimits } from "#limits/claims-of.ts";
import { standingsOf, type Limiter } from "#limits/limiter.ts";

/** One limit of a key as it stands. */
interface LimitNow {
  readonly level: string;
  readonly target_id: string;
  /** A policy's id, or `plan`. */
  readonly source: string;
  readonly kind: "requests_per_minute" | "tokens_per_minute" | "concurrent";
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
}

/** Limits of one level that count apart: how they stand hangs on who or what they are asked for. */
interface LimitsApart extends Pick<RateLimits, "perEndUser" | "perModel"> {
  readonly level: string;
  readonly target_id: string;
  readonly source: string;
}

interface DescribedLimits {
  readonly limits: readonly LimitNow[];
  readonly limits_apart: readonly LimitsApart[];
}

const KINDS = {
  requests: "requests_per_minute",
  tokens: "tokens_per_minute",
  concurrent: "concurrent",
} as const;

/** The limits of a key and what of them is used; nothing is taken. `id`: of the request that asks. */
export async function describeLimits(
  limiter: Limiter | undefined,
  access: Access,
  id: string,
): Promise<DescribedLimits> {
  const claims = plainLimits(access);
  const standings = limiter === undefined ? [] : await standingsOf(limiter, id, claims);
  return {
    limits: claims.map(({ level, targetId, source, kind, limit }, at) => {
      const used = standings[at]?.used ?? 0;
      const remaining = Math.max(0, limit - used);
      return { level, target_id: targetId, source, kind: KINDS[kind], limit, used, remaining };
    }),
    limits_apart: access.limits.flatMap(({ level, targetId, source, limits }) => {
      const { perEndUser, perModel } = limits;
      if (perEndUser === undefined && perModel === undefined) return [];
      return [
        {
          level,
          target_id: targetId,
          source,
          ...(perEndUser !== undefined && { perEndUser }),
          ...(perModel !== undefined && { perModel }),
        },
      ];
    }),
  };
}
