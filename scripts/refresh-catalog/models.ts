import { modelSlug, splitSnapshot } from "../../gateway/src/catalog/model-slug.ts";
import type { CatalogEndpoint, CatalogModel } from "../../gateway/src/catalog/types.ts";
import { present } from "./amounts.ts";
import { DEFAULT_MODALITIES, authorOf, kindOf, slugOf } from "./identity.ts";
import type { MergedEndpoint } from "./merge.ts";
import type { SourceRow } from "./row.ts";

interface Named {
  readonly merged: MergedEndpoint;
  readonly model: string;
}

/** Groups endpoints by model and describes each model. */
export function buildModels(merged: readonly MergedEndpoint[]): {
  readonly models: readonly CatalogModel[];
  readonly endpoints: readonly CatalogEndpoint[];
} {
  const slugs = merged.map((one) => slugOf(one.endpoint));
  const ids = joinSnapshots(slugs);
  const named: Named[] = merged.flatMap((one, i) => {
    const model = ids.get(slugs[i] ?? "");
    return model === undefined ? [] : [{ merged: one, model }];
  });
  const groups = Map.groupBy(named, ({ model }) => model);
  const aliases = aliasesOf(named, new Set(groups.keys()));
  const models = [...groups].map(([id, group]) => describe(id, group, aliases.get(id) ?? []));
  const chats = new Set(models.filter(({ kind }) => kind === "chat").map(({ id }) => id));
  const endpoints = named.map(({ merged: one, model }) => {
    // Sources write the size of the vector here for embeddings.
    const { maxOutputTokens, ...rest } = one.endpoint;
    return {
      model,
      ...rest,
      ...present({ maxOutputTokens: chats.has(model) ? maxOutputTokens : undefined }),
    };
  });
  const key = (endpoint: CatalogEndpoint): string =>
    `${endpoint.model}\n${endpoint.provider}\n${endpoint.upstreamModel}`;
  return {
    models: models.sort((a, b) => (a.id < b.id ? -1 : 1)),
    endpoints: endpoints.sort((a, b) => (key(a) < key(b) ? -1 : 1)),
  };
}

/**
 * Slug to model id. A snapshot joins its undated name only while it is the only one: `gpt-4o` has
 * three, which differ in price and behaviour, so each stays a model of its own.
 */
function joinSnapshots(slugs: readonly string[]): ReadonlyMap<string, string> {
  const snapshots = new Map<string, Set<string>>();
  for (const slug of slugs) {
    const { base, snapshot } = splitSnapshot(slug);
    if (snapshot !== undefined)
      snapshots.set(base, (snapshots.get(base) ?? new Set()).add(snapshot));
  }
  return new Map(
    slugs.map((slug) => {
      const { base, snapshot } = splitSnapshot(slug);
      if (snapshot === undefined) return [slug, slug];
      return [
        slug,
        snapshots.get(base)?.size === 1 ? base : `${base}-${snapshotText(base, snapshot)}`,
      ];
    }),
  );
}

/** Anthropic writes 20241022, OpenAI and most others 2024-10-22; builds stay as they are. */
function snapshotText(base: string, snapshot: string): string {
  if (snapshot.length !== 8 || base.startsWith("claude")) return snapshot;
  return `${snapshot.slice(0, 4)}-${snapshot.slice(4, 6)}-${snapshot.slice(6)}`;
}

/** Other names of each model; a name that two models could claim is nobody's. */
function aliasesOf(
  named: readonly Named[],
  ids: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const owners = new Map<string, Set<string>>();
  for (const { merged, model } of named) {
    const upstream = merged.endpoint.upstreamModel.toLowerCase();
    for (const name of [upstream, slugOf(merged.endpoint)]) {
      if (!readsAsAnother(name, model, ids))
        owners.set(name, (owners.get(name) ?? new Set()).add(model));
    }
  }
  const single = [...owners].flatMap(([name, models]) =>
    models.size === 1 ? [{ name, model: String([...models][0]) }] : [],
  );
  const byModel = Map.groupBy(single, ({ model }) => model);
  return new Map(
    [...byModel].map(([model, group]) => [model, group.map(({ name }) => name).sort()]),
  );
}

/** True for ids of other models, and for `deepseek/deepseek-chat`, which DeepSeek itself serves anew. */
function readsAsAnother(name: string, model: string, ids: ReadonlySet<string>): boolean {
  const plain = modelSlug(name);
  return ids.has(name) || (plain !== model && ids.has(plain));
}

/** Sources whose facts of a model (not of an endpoint) are most careful, best first. */
const CAREFUL = ["models.dev", "openrouter", "litellm", "genai-prices"];

function describe(id: string, group: readonly Named[], aliases: readonly string[]): CatalogModel {
  const author = authorOf(
    id,
    group.flatMap(({ merged }) => merged.rows),
  );
  const rows = group
    .flatMap(({ merged }) => merged.rows)
    .toSorted(
      (a, b) => rank(a, author) - rank(b, author) || a.upstreamModel.localeCompare(b.upstreamModel),
    );
  const kind = kindOf(id, rows);
  const modalities = DEFAULT_MODALITIES[kind];
  const dates = rows
    .filter((row) => row.source === "models.dev")
    .flatMap((row) => row.released ?? []);
  const deprecated = group.map(({ merged }) => merged.endpoint.deprecated);
  return {
    id,
    name: rows.find((row) => row.name !== undefined)?.name ?? id,
    author,
    kind,
    aliases,
    input: rows.find((row) => row.input !== undefined)?.input ?? modalities.input,
    output: outputOf(rows) ?? modalities.output,
    capabilities: capabilitiesOf(rows),
    ...present({
      released: dates.sort()[0] ?? rows.find((row) => row.released !== undefined)?.released,
      // A model is deprecated when all who serve it say so.
      deprecated: deprecated.includes(undefined) ? undefined : latestOf(deprecated),
    }),
  };
}

const latestOf = (days: readonly (string | undefined)[]): string | undefined =>
  days
    .filter((day) => day !== undefined)
    .sort((a, b) => a.localeCompare(b))
    .at(-1);

/** The maker's own rows first, then the careful sources. */
const rank = (row: SourceRow, author: string): number =>
  CAREFUL.indexOf(row.source) + (row.provider === author ? 0 : CAREFUL.length);

function outputOf(rows: readonly SourceRow[]) {
  return rows.find((row) => row.output !== undefined)?.output;
}

/** The first source that says a thing is believed; endpoints that lack it are found at run time. */
function capabilitiesOf(rows: readonly SourceRow[]): CatalogModel["capabilities"] {
  const said = (
    name: "tools" | "structuredOutput" | "reasoning" | "temperature",
  ): boolean | undefined =>
    rows.find((row) => row.capabilities?.[name] !== undefined)?.capabilities?.[name];
  return present({
    tools: said("tools"),
    structuredOutput: said("structuredOutput"),
    reasoning: said("reasoning"),
    temperature: said("temperature"),
  });
}
