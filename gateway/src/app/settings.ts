import type { AppOptions } from "#app/app-options.ts";
import type { Config } from "#config/read-config.ts";
import { DEFAULT_HEALTH_PARAMETERS, type HealthParameters } from "#health/parameters.ts";
import { DEFAULT_TIMEOUTS, type Timeouts } from "#pipeline/gateway.ts";
import type { Market } from "#routing/market.ts";

/** The defaults, what the start was told, and what the settings say, in this order. */
export const healthParametersOf = ({ policy }: Market, options: AppOptions): HealthParameters => ({
  ...DEFAULT_HEALTH_PARAMETERS,
  ...options.health,
  ...policy.health,
});

/** The defaults, what the settings say, and what the start was told, in this order. */
export const timeoutsOf = (config: Config | undefined, { timeouts }: AppOptions): Timeouts => ({
  ...DEFAULT_TIMEOUTS,
  ...definedOnly(config?.timeouts ?? {}),
  ...timeouts,
});

/** Without members that are `undefined`: those would hide a default. */
const definedOnly = (given: {
  readonly [Name in keyof Timeouts]?: number | undefined;
}): Partial<Timeouts> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

interface Applied {
  /** Absent: the file is gone. */
  readonly file: string | undefined;
  readonly atStart: Config | undefined;
}

/** What a change of the settings did, and what it will do at the next start only. */
export function appliedText(next: Config, { file, atStart }: Applied): string {
  const done =
    file === undefined
      ? "No settings file any more: defaults applied"
      : `Settings applied from ${file}`;
  const pending = (["server", "limits", "auth"] as const).filter(
    (name) => JSON.stringify(next[name]) !== JSON.stringify(atStart?.[name] ?? {}),
  );
  return pending.length === 0
    ? `${done}.`
    : `${done}; ${pending.join(" and ")}: at the next start.`;
}
