import type { OidcSection } from "@turnpike/contract/config-auth.ts";

import type { OidcApi } from "#http/admin/sign-in-routes.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import type { Log } from "#telemetry/log.ts";
import { createDialer } from "#upstream/dialer.ts";
import { dialerFetch } from "#upstream/dialer-fetch.ts";

interface Opened {
  readonly settings: OidcSection;
  readonly master: MasterKey;
  readonly log: Log;
  readonly closers: (() => void | Promise<void>)[];
}

/** Single sign-on, where the settings have it: its library is loaded only then. */
export async function openOidc({ settings, master, log, closers }: Opened): Promise<OidcApi> {
  // A dialer of its own: the issuer may be on a private address, for the operator named it; what its
  // documents point to may not, and neither may anything that providers of models are trusted with.
  const trusted = new Set([new URL(settings.issuer).origin]);
  const dialer = createDialer(() => trusted);
  closers.push(() => dialer.close());
  const { createOidcProvider } = await import("#governance/oidc-provider.ts");
  const provider = createOidcProvider({
    settings,
    fetch: dialerFetch(dialer.send),
    now: Date.now,
    onFault: (reason) => log.warn({ reason }, "a single sign-on failed"),
  });
  return { settings, provider, sealer: master };
}
