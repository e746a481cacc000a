import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asObject, asString } from "../../gateway/src/lib/json.ts";

/** A source as it was on a day. */
export interface SnapshotInfo {
  readonly name: string;
  readonly date: string;
  readonly licence: string;
}

interface Source extends SnapshotInfo {
  readonly file: string;
  readonly url: string;
}

/** The public catalogues; `date` is that of the kept snapshot, a download writes its own. */
const SOURCES = {
  genaiPrices: {
    name: "genai-prices",
    date: "2026-08-21",
    licence: "MIT",
    file: "genai-prices.data.json",
    url: "https://raw.githubusercontent.com/pydantic/genai-prices/main/prices/data.json",
  },
  openRouter: {
    name: "openrouter",
    date: "2026-08-01",
    licence: "facts only",
    file: "openrouter.models.2026-08-01.json",
    url: "https://openrouter.ai/api/v1/models",
  },
  liteLlm: {
    name: "litellm",
    date: "2026-07-24",
    licence: "MIT",
    file: "litellm.model_prices_and_context_window.json",
    url: "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json",
  },
  modelsDev: {
    name: "models.dev",
    date: "2026-07-02",
    licence: "MIT",
    file: "models.dev.api.expanded.json",
    url: "https://models.dev/api.json",
  },
} as const satisfies Record<string, Source>;

export type SourceName = keyof typeof SOURCES;

/** Where a download notes the day of each file. */
const DATES_FILE = "dates.json";

/** Reads a source of a folder, with the day that it is from. */
export function readSource(
  folder: string,
  name: SourceName,
): { readonly data: unknown; readonly info: SnapshotInfo } {
  const source: Source = SOURCES[name];
  const datesFile = join(folder, DATES_FILE);
  const dates = existsSync(datesFile) ? asObject(JSON.parse(readFileSync(datesFile, "utf8"))) : {};
  const data: unknown = JSON.parse(readFileSync(join(folder, source.file), "utf8"));
  const date = asString(dates[source.file]) ?? source.date;
  return { data, info: { name: source.name, date, licence: source.licence } };
}

/** Downloads every source to a folder. @throws when one does not answer with JSON */
export async function fetchSources(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const dates: Record<string, string> = {};
  for (const source of Object.values(SOURCES)) {
    const response = await fetch(source.url, { signal: AbortSignal.timeout(60_000) });
    if (!response.ok) throw new Error(`${source.url} answered ${response.status}`);
    const text = await response.text();
    JSON.parse(text);
    writeFileSync(join(folder, source.file), text);
    dates[source.file] = new Date(response.headers.get("date") ?? Date.now())
      .toISOString()
      .slice(0, 10);
  }
  writeFileSync(join(folder, DATES_FILE), `${JSON.stringify(dates, null, 2)}\n`);
}
