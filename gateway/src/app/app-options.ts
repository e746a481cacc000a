import type { AdminRate } from "#http/admin/rate-limit.ts";
import type { BootstrapKey } from "#governance/create-key.ts";
import type { HealthParameters } from "#health/parameters.ts";
import type { LocalServer } from "#market/market-source.ts";
import type { Timeouts } from "#pipeline/gateway.ts";

export interface AppOptions {
  /** The data folder. */
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly host?: string;
  /** 0: any free port. */
  readonly port?: number;
  /** Where `turnpike.yaml` may be, the first that exists counts; absent: in the data folder. */
  readonly configPlaces?: readonly string[];
  readonly timeouts?: Partial<Timeouts>;
  /** How many requests an actor may send to the admin API. */
  readonly adminRate?: AdminRate;
  /** Milliseconds after which payments that could not be checked at the start are checked again. */
  readonly recheckMs?: number;
  /** Told of each route before it is added. */
  readonly onRoute?: (route: { readonly method: string | string[]; readonly url: string }) => void;
  /** Parameters of health that differ, before those of the settings. */
  readonly health?: Partial<HealthParameters>;
  /** Told in words for the operator: settings that were applied or refused, and what to look at. */
  readonly onNotice?: (message: string) => void;
}

export interface StartupReport {
  readonly home: string;
  /** Ids, with the names of the variables or of the file where they were found; never values. */
  readonly providers: readonly { readonly id: string; readonly variable: string }[];
  readonly local: readonly LocalServer[];
  readonly bootstrap: BootstrapKey;
  /** One-time token of the setup page; absent: somebody can sign in already. */
  readonly setupToken?: string;
  readonly models: number;
  readonly endpoints: number;
  readonly readyMs: number;
  readonly configFile?: string;
}
