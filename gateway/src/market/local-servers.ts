import type { CatalogExtra } from "#catalog/catalog.ts";
import type { CatalogEndpoint, CatalogModel } from "#catalog/types.ts";
import { unknownModel } from "#market/unknown-model.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import type { Send } from "#upstream/answer.ts";
import { probeModels } from "#upstream/probe-local.ts";

/** A server that runs on this machine now, and the ids of its models. */
export interface RunningServer {
  readonly configured: ConfiguredProvider;
  readonly models: readonly string[];
}

/** Asks all of them at once; those that are not there are left out. */
export async function runningServers(
  local: readonly ConfiguredProvider[],
  send: Send,
): Promise<readonly RunningServer[]> {
  const probed = await Promise.all(
    local.map(async (configured) => ({
      configured,
      models: await probeModels(send, configured.provider.baseUrl),
    })),
  );
  return probed.flatMap(({ configured, models }) =>
    models === undefined ? [] : [{ configured, models }],
  );
}

/** Models of this machine's servers: what they can do is not known, and their tokens cost nothing. */
export function runningModels(running: readonly RunningServer[]): CatalogExtra {
  const models: CatalogModel[] = [];
  const endpoints: CatalogEndpoint[] = [];
  for (const { configured, models: ids } of running) {
    for (const upstreamModel of ids) {
      const id = `${configured.id}/${upstreamModel}`.toLowerCase();
      models.push(unknownModel(id, { name: upstreamModel, author: configured.id }));
      endpoints.push({
        model: id,
        provider: configured.id,
        upstreamModel,
        prices: { input: 0, output: 0 },
        source: { name: "listed by the server on this machine", date: "" },
      });
    }
  }
  return { models, endpoints };
}
