import type { NewRecord } from "#store/request-records.ts";
import { ROLLUP_SUMS, type RollupKey, type RollupSum } from "#store/tables/record-tables.ts";
import type { RollupRow } from "#store/usage-rollups.ts";

/** What spend can be told by. Pairs are `a+b`, their values `a/b`: ids hold no slash. */
export const DIMENSIONS = [
  "total",
  "model",
  "provider",
  "key",
  "project",
  "team",
  "user",
  "tag",
  "task",
  "key+model",
  "project+model",
  "provider+model",
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** The value of requests that nobody answered or that no key was found for. */
const NOBODY = "-";

/** What values beyond an organization's largest number a day are counted as. */
const OTHERS = "(other)";

/**
 * Different values an organization may have a day; callers name users and tags as they like, and a
 * page of a report must not grow with them.
 */
const MAX_VALUES: Readonly<Partial<Record<Dimension, number>>> = {
  model: 1_000,
  user: 1_000,
  tag: 1_000,
  task: 200,
  "key+model": 5_000,
  "project+model": 5_000,
  "provider+model": 1_000,
};

const MAX_VALUE_LENGTH = 200;
const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Values that were counted by their own name; loaded before the first record of a day is counted. */
export interface KnownValues {
  /** The values of a dimension of an organization on a day, to be added to. */
  of(organizationId: string, dimension: string, day: number): Set<string>;
}

/** The first moment of a UTC day. */
export const dayOf = (time: number): number => time - (time % DAY_MS);

/** Sums of records by everything that reports ask for: hours for the total, days for each dimension. */
export function rollupRows(
  records: readonly NewRecord[],
  known: KnownValues,
): readonly RollupRow[] {
  const rows = new Map<string, { readonly key: RollupKey; readonly sums: Float64Array }>();
  const add = (key: RollupKey, facts: Float64Array): void => {
    const name = `${key.organization_id}\n${key.grain}\n${key.bucket}\n${key.dimension}\n${key.value}`;
    const row = rows.get(name);
    if (row === undefined) rows.set(name, { key, sums: Float64Array.from(facts) });
    else
      for (let at = 0; at < facts.length; at++)
        row.sums[at] = (row.sums[at] ?? 0) + (facts[at] ?? 0);
  };
  for (const record of records) {
    const facts = factsOf(record);
    const { organization_id, started_at } = record;
    const day = dayOf(started_at);
    const hour = started_at - (started_at % HOUR_MS);
    add({ organization_id, dimension: "total", grain: "hour", bucket: hour, value: "" }, facts);
    for (const [dimension, named] of valuesOf(record)) {
      const value = bounded(dimension, named, () => known.of(organization_id, dimension, day));
      add({ organization_id, dimension, grain: "day", bucket: day, value }, facts);
    }
  }
  return [...rows.values()].map(({ key, sums }) => ({ ...key, sums }));
}

/** The value itself while there is room for it. */
function bounded(dimension: Dimension, value: string, known: () => Set<string>): string {
  const limit = MAX_VALUES[dimension];
  const cut = value.slice(0, MAX_VALUE_LENGTH);
  if (limit === undefined) return cut;
  const values = known();
  if (values.has(cut)) return cut;
  if (values.size >= limit) return OTHERS;
  values.add(cut);
  return cut;
}

/** Whether a dimension's values are counted up to a largest number only. */
export const isBounded = (dimension: string): boolean => dimension in MAX_VALUES;

function valuesOf(record: NewRecord): readonly (readonly [Dimension, string])[] {
  const { key_id, project_id, team_id, end_user, task_class, tags } = record;
  const model = record.model_used ?? NOBODY;
  const provider = record.provider ?? NOBODY;
  const values: (readonly [Dimension, string])[] = [
    ["total", ""],
    ["model", model],
    ["provider", provider],
    ["key", key_id ?? NOBODY],
    ["project", project_id ?? NOBODY],
    ["key+model", `${key_id ?? NOBODY}/${model}`],
    ["project+model", `${project_id ?? NOBODY}/${model}`],
    ["provider+model", `${provider}/${model}`],
  ];
  if (team_id !== null) values.push(["team", team_id]);
  if (end_user !== null) values.push(["user", end_user]);
  if (task_class !== null) values.push(["task", task_class]);
  if (tags !== null) for (const tag of tagsOf(tags)) values.push(["tag", tag]);
  return values;
}

/** Tags of a stored record; one that is there twice counts once. */
export const tagsOf = (tags: string | null): ReadonlySet<string> =>
  new Set(tags === null ? [] : (JSON.parse(tags) as string[]));

/** Sums of one request in the order of `ROLLUP_SUMS`; integers, so exact below 2^53 a batch. */
function factsOf(record: NewRecord): Float64Array {
  const facts: Record<RollupSum, number> = {
    requests: 1,
    failed: record.failure === null ? 0 : 1,
    estimated: record.usage_estimated,
    unpriced: record.cost_nano_usd === null ? 1 : 0,
    input_tokens: record.input_tokens ?? 0,
    output_tokens: record.output_tokens ?? 0,
    cache_read_tokens: record.cache_read_tokens ?? 0,
    cache_write_tokens: record.cache_write_tokens ?? 0,
    reasoning_tokens: record.reasoning_tokens ?? 0,
    charge_nano_usd: Number(record.charge_nano_usd ?? 0),
    cost_nano_usd: Number(record.cost_nano_usd ?? 0),
    loss_nano_usd: Number(record.loss_nano_usd),
    cache_saved_nano_usd: Number(record.cache_saved_nano_usd),
    ...comparedFacts(record),
    total_us: Math.round(record.total_ms * 1_000),
    ...firstContentFacts(record.first_content_ms),
  };
  return Float64Array.from(ROLLUP_SUMS, (name) => facts[name]);
}

/** Both sides of a comparison count only where both are known. */
function comparedFacts(record: NewRecord) {
  const { cost_nano_usd: cost, baseline_nano_usd: baseline } = record;
  const reported = record.provider_reported_nano_usd;
  const isBaselined = baseline !== null && cost !== null;
  const isReported = reported !== null && cost !== null;
  return {
    baselined: isBaselined ? 1 : 0,
    baseline_nano_usd: isBaselined ? Number(baseline) : 0,
    baseline_cost_nano_usd: isBaselined ? Number(cost) : 0,
    reported: isReported ? 1 : 0,
    reported_nano_usd: isReported ? Number(reported) : 0,
    reported_cost_nano_usd: isReported ? Number(cost) : 0,
  };
}

function firstContentFacts(ms: number | null) {
  const within = (limitMs: number): number => (ms !== null && ms <= limitMs ? 1 : 0);
  return {
    answered: ms === null ? 0 : 1,
    first_us: Math.round((ms ?? 0) * 1_000),
    first_250: within(250),
    first_500: within(500),
    first_1000: within(1_000),
    first_2000: within(2_000),
    first_5000: within(5_000),
    first_10000: within(10_000),
    first_30000: within(30_000),
  };
}
