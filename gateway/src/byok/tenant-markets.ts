import type { ByokOrder } from "@turnpike/contract/governance.ts";

import { GatewayError } from "#canonical/failure.ts";
import type { CredentialRing, OwnCredential } from "#byok/credential-ring.ts";
import type { Access } from "#governance/access.ts";
import { configureOwn, type PlatformPlace } from "#providers/configure-own.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import type { Market } from "#routing/market.ts";

/** Who a market is for. */
export type Tenant = Pick<Access, "organization" | "project" | "key">;

/** What a request asks of own credentials. */
export type ByokWish = "only" | "never";

interface Options {
  readonly platform: () => Market;
  readonly credentials: Pick<CredentialRing, "of" | "generation">;
  /** Where the platform reaches a provider; `undefined`: no key can be brought to it. */
  readonly placeOf: (provider: string) => PlatformPlace | undefined;
  readonly onNotice: (message: string) => void;
}

/** The market that a request has to choose from. */
export type MarketFor = (tenant: Tenant, wish?: ByokWish) => Market;

interface Known {
  readonly platform: Market;
  readonly generation: number;
  readonly byWish: Map<ByokWish | undefined, Market>;
}

interface State extends Options {
  /** By what is in them; of one platform's market. */
  markets: Map<string, Market>;
  platformOf: Market | undefined;
  /** Credentials that the operator was told of, by revision. */
  readonly told: Set<number>;
}

/** Markets of tenants that are kept: each costs some memory once models are looked up in it. */
const MAX_MARKETS = 1_000;

/**
 * Gives each tenant the platform's market with its own credentials among the others, each an endpoint
 * of its own, in nobody else's market. Tenants without any share the platform's at no cost; keys that
 * may use the same credentials share one.
 */
export function createTenantMarkets(options: Options): MarketFor {
  const state: State = { ...options, markets: new Map(), platformOf: undefined, told: new Set() };
  const known = new WeakMap<Tenant, Known>();
  return (tenant, wish) => {
    const platform = options.platform();
    const { organization } = tenant;
    const isOwnOnly = organization.settings.byok?.order === "own-only" || wish === "only";
    if (!isOwnOnly && options.credentials.of(organization.id) === undefined) return platform;
    const generation = options.credentials.generation();
    let found = known.get(tenant);
    if (found?.platform !== platform || found.generation !== generation) {
      known.set(tenant, (found = { platform, generation, byWish: new Map() }));
    }
    let market = found.byWish.get(wish);
    if (market === undefined) {
      found.byWish.set(wish, (market = marketOf(state, { tenant, wish, platform })));
    }
    return market;
  };
}

interface Wanted {
  readonly tenant: Tenant;
  readonly wish: ByokWish | undefined;
  readonly platform: Market;
}

function marketOf(state: State, { tenant, wish, platform }: Wanted): Market {
  const { organization } = tenant;
  const set = organization.settings.byok?.order ?? "own-first";
  // Who asks for no own credential where there may be no other one gets none at all.
  const usable =
    wish === "never"
      ? []
      : (state.credentials.of(organization.id) ?? []).filter((own) => mayUse(tenant, own));
  const order = wish === "only" ? "own-only" : set;
  if (usable.length === 0 && order !== "own-only") return platform;
  if (state.platformOf !== platform) {
    state.platformOf = platform;
    state.markets = new Map();
  }
  const name = `${order} ${usable.map(({ revision }) => revision).join(" ")}`;
  const before = state.markets.get(name);
  const market = before ?? deriveMarket(state, { platform, order, usable });
  // The one used last is the last to go.
  state.markets.delete(name);
  state.markets.set(name, market);
  const oldest = state.markets.size > MAX_MARKETS ? state.markets.keys().next().value : undefined;
  if (oldest !== undefined) state.markets.delete(oldest);
  return market;
}

const mayUse = ({ organization, project, key }: Tenant, own: OwnCredential): boolean =>
  own.organizationId === organization.id &&
  (own.projectId === null || own.projectId === project.id) &&
  (own.allowedKeyIds?.has(key.id) ?? true);

interface Parts {
  readonly platform: Market;
  readonly order: ByokOrder;
  readonly usable: readonly OwnCredential[];
}

function deriveMarket(state: State, { platform, order, usable }: Parts): Market {
  const own = Map.groupBy(configuredOnes(state, usable), ({ id }) => id);
  const ids = new Set([...platform.providers.keys(), ...own.keys()]);
  const providers = [...ids].map((id) => {
    const platforms = order === "own-only" ? [] : (platform.providers.get(id) ?? []);
    return [id, [...(own.get(id) ?? []), ...platforms]] as const;
  });
  return { ...platform, providers: new Map(providers), ownOrder: order };
}

/** They come in order; those of one level and position are of one tier. */
function configuredOnes(
  state: State,
  usable: readonly OwnCredential[],
): readonly ConfiguredProvider[] {
  const levels = usable.map(({ projectId, position }) => `${projectId === null} ${position}`);
  const tiers = [...new Set(levels)];
  return usable.flatMap((one, at) => {
    try {
      return configured(state, one, tiers.indexOf(levels[at] ?? "")) ?? [];
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      tell(state, one, error.failure.message);
      return [];
    }
  });
}

function configured(
  state: State,
  one: OwnCredential,
  tier: number,
): ConfiguredProvider | undefined {
  const place = state.placeOf(one.provider);
  if (place === undefined) {
    tell(state, one, `there is no provider "${one.provider}" to bring a key to.`);
    return undefined;
  }
  const { organizationId, id: credentialId, baseUrl, variables } = one;
  const { attestsZeroRetention, authorizeFor } = one;
  const own = { organizationId, credentialId, tier, isElsewhere: baseUrl !== undefined };
  const settings = { own, authorizeFor, variables, baseUrl, attestsZeroRetention };
  return configureOwn(one.provider, place, settings);
}

function tell(state: State, { id, organizationId, revision }: OwnCredential, why: string): void {
  if (state.told.has(revision)) return;
  state.told.add(revision);
  state.onNotice(`Credential ${id} (of ${organizationId}) is left out: ${why}`);
}
