import { createCredentialRing, type CredentialRing } from "#byok/credential-ring.ts";
import { createTenantMarkets, type MarketFor } from "#byok/tenant-markets.ts";
import type { Directory } from "#governance/directory.ts";
import type { AdminParts } from "#http/admin/admin-route.ts";
import type { HealthTracker } from "#health/health-tracker.ts";
import type { MarketSource } from "#market/market-source.ts";
import type { Envelope } from "#privacy/envelope.ts";
import type { Store } from "#store/store.ts";
import type { Send } from "#upstream/answer.ts";

/** Tenants' own provider credentials, in memory. */
export interface OwnCredentials {
  readonly credentials: CredentialRing;
  readonly marketFor: MarketFor;
  /** For the admin API. */
  readonly desk: AdminParts["credentials"];
  /** Takes in what the directory has read by now. */
  readonly refresh: () => Promise<void>;
}

interface Around {
  readonly store: Pick<Store, "core">;
  readonly envelope: Envelope;
  readonly directory: Pick<Directory, "version" | "onLook">;
  readonly market: Pick<MarketSource, "current" | "placeOf">;
  readonly health: Pick<HealthTracker, "applyRemote">;
  readonly send: Send;
  readonly onNotice: (message: string) => void;
}

/** Reads them and keeps them up to date with the directory. */
export async function openOwnCredentials(around: Around): Promise<OwnCredentials> {
  const { store, envelope, directory, market, health, send, onNotice } = around;
  const { core } = store;
  const placeOf = market.placeOf.bind(market);
  const credentials = createCredentialRing({
    core,
    envelope,
    onNotice,
    // A secret may have been renewed under its old name: it gets a try at once.
    onChange: (credential) => health.applyRemote({ type: "credential-alive", credential }),
  });
  const refresh = (): Promise<void> => credentials.look(directory.version());
  await refresh();
  // A look that fails leaves what is known in force; the next one reads it all.
  directory.onLook(() => void refresh().catch(() => undefined));
  const marketFor = createTenantMarkets({
    platform: () => market.current,
    credentials,
    placeOf,
    onNotice,
  });
  const faultOf = (id: string): string | undefined => credentials.faultOf(id);
  const desk = { envelope, placeOf, send, faultOf };
  return { credentials, marketFor, desk, refresh };
}
