import type { CatalogData } from "../../gateway/src/catalog/types.ts";
import { code, generatedFrom, table } from "./markdown.ts";

/** Authors with fewer models are counted together. */
const LISTED_AUTHORS = 25;

const introduction = ({ asOf, models, endpoints }: CatalogData): string => `# Catalogue

${generatedFrom("gateway/src/catalog/data/catalog.json")}
${models.length} models and ${endpoints.length} endpoints (a model at a provider), as of ${asOf}. Each
endpoint carries its source and the source's date. A price that no source has is unknown: the cost
of such an answer is \`null\`, never 0.

\`turnpike models [words]\` searches it, \`GET /v1/models/<id>/endpoints\` gives the prices of a model at
each provider. \`npm run refresh-catalog -- --fetch\` rebuilds it from the public sources. A file \`catalog.json\` in the
data folder replaces it while the gateway runs; one with a mistake is refused as a whole.
`;

/** The page `docs/catalog.md`: what there is, counted. */
export function renderCatalogPage(catalog: CatalogData): string {
  const { models, endpoints, sources } = catalog;
  const priced = endpoints.filter(({ prices }) => prices !== undefined);
  const confirmed = endpoints.filter(({ source }) => source.confirmedBy !== undefined);
  const bySource = counted(endpoints.map(({ source }) => source.name));
  const authors = [...counted(models.map(({ author }) => author))].toSorted(byCount);
  const rest = authors.slice(LISTED_AUTHORS);
  const restModels = rest.reduce((sum, [, count]) => sum + count, 0);
  return [
    introduction(catalog),
    `With prices: ${priced.length}. Base prices that a second source confirms: ${confirmed.length}.\n`,
    "## Sources\n",
    table(
      ["Source", "Date", "Licence", "Endpoints"],
      sources.map(({ name, date, licence }) => [
        name,
        date,
        licence,
        String(bySource.get(name) ?? 0),
      ]),
    ),
    "## Kinds\n",
    countTable("Kind", [...counted(models.map(({ kind }) => kind))].toSorted(byCount)),
    "## Endpoints by provider\n",
    countTable(
      "Provider",
      [...counted(endpoints.map(({ provider }) => code(provider)))].toSorted(byCount),
    ),
    "## Models by author\n",
    countTable("Author", [
      ...authors.slice(0, LISTED_AUTHORS),
      ...(rest.length > 0 ? [[`${rest.length} others`, restModels] as const] : []),
    ]),
  ].join("\n");
}

type Count = readonly [string, number];

const counted = (names: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};

const byCount = (a: Count, b: Count): number => b[1] - a[1] || (a[0] < b[0] ? -1 : 1);

const countTable = (name: string, counts: readonly Count[]): string =>
  table(
    [name, "Count"],
    counts.map(([label, count]) => [label, String(count)]),
  );
