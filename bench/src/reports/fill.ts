import { DatabaseSync } from "node:sqlite";

import pg from "pg";

import { ROLLUP_SUMS } from "../../../gateway/src/store/tables/record-tables.ts";

/** Runs one statement of the filling. */
export interface Filling {
  run(statement: string): Promise<void>;
  /** Begins what is to be filled in one go, by which a database saves itself a log or a journal. */
  readonly begin: readonly string[];
  /** Indexes of the tables, to be left out while they are filled. */
  indexes(): Promise<readonly { readonly name: string; readonly statement: string }[]>;
  close(): Promise<void>;
}

export function fillingOfSqlite(file: string): Filling {
  const database = new DatabaseSync(file);
  database.exec(
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-1000000; PRAGMA temp_store=MEMORY; PRAGMA threads=2",
  );
  return {
    run: async (statement) => database.exec(statement),
    begin: ["BEGIN"],
    indexes: async () =>
      database
        .prepare(
          "SELECT name, sql AS statement FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('request_records', 'usage_rollups')",
        )
        .all() as unknown as { name: string; statement: string }[],
    close: async () => {
      database.exec("PRAGMA journal_mode=WAL");
      database.close();
    },
  };
}

/** Of a server whose tables are filled: what is new is written once, not also to its log. */
export const FILLING_SETTINGS = ["wal_level=minimal", "max_wal_senders=0", "max_wal_size=8GB"];

export async function fillingOfPostgres(url: string): Promise<Filling> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'",
  );
  return {
    run: async (statement) => void (await client.query(statement)),
    // Tables that are new in a transaction need no log of it (`FILLING_SETTINGS`).
    begin: ["BEGIN", "TRUNCATE request_records, request_tags, usage_rollups"],
    indexes: async () => {
      const { rows } = await client.query(
        "SELECT indexname AS name, indexdef AS statement FROM pg_indexes WHERE tablename IN ('request_records', 'usage_rollups') AND indexname NOT LIKE '%pkey' AND indexname NOT LIKE '%id_key'",
      );
      return rows as { name: string; statement: string }[];
    },
    close: () => client.end(),
  };
}

/** How the records are spread. One organization has four of five; its days hold some 100,000 requests. */
export const SPREAD = {
  days: 90,
  rollupDays: 365,
  organizations: 50,
  keys: 1_000,
  projects: 60,
  teams: 12,
  models: 40,
  providers: 12,
  endUsers: 200_000,
  conversations: 1_500_000,
  tags: 300,
  tasks: 11,
} as const;

const DAY_MS = 86_400_000;
export const LAST_DAY = 20_700 * DAY_MS;
const FIRST_MS = LAST_DAY + DAY_MS - SPREAD.days * DAY_MS;
export const BIG_ORGANIZATION = "org_0";

/** Different dice for each column, out of the row's number alone. */
const dice = (salt: number, sides: number): string =>
  `(((i + ${salt}) * 2654435761 % 4294967296) / 64 % ${sides})`;

const DECISION = JSON.stringify({
  needs: { inputTokens: 1200, modalities: ["text"], tools: true, inToolLoop: false },
  conversation: "1x2y3z4",
  chosen: "anthropic/claude-sonnet-5@env:ANTHROPIC_API_KEY",
  model: "claude-sonnet-5",
  reason: "cheapest",
  numbers: { costNanoUsd: 12_345_678, weight: 1, state: "healthy", score: 0.1234 },
});
const ATTEMPTS = JSON.stringify([
  {
    provider: "anthropic",
    model: "claude-sonnet-5",
    lane: "native",
    startedMs: 1.2,
    durationMs: 812.3,
    status: 200,
    failure: null,
    credential: "env:ANTHROPIC_API_KEY",
    reason: "cheapest",
    lossNanoUsd: null,
  },
]);

const COLUMNS: Readonly<Record<string, string>> = {
  id: "'req_' || (1000000000 + i)",
  started_at: "", // Filled in by the number of rows.
  organization_id: `'org_' || CASE WHEN ${dice(1, 5)} < 4 THEN 0 ELSE ${dice(2, SPREAD.organizations)} END`,
  project_id: `'proj_' || ${dice(3, SPREAD.projects)}`,
  team_id: `'team_' || ${dice(4, SPREAD.teams)}`,
  key_id: `'key_' || CASE WHEN i % 1000003 = 7 THEN 'rare' ELSE CAST(${dice(5, SPREAD.keys)} AS TEXT) END`,
  operation: "'chat'",
  protocol: "'openai-chat'",
  model_asked: "'auto'",
  model_used: `CASE WHEN i % 1000003 = 5 THEN 'rare' ELSE 'model-' || ${dice(6, SPREAD.models)} END`,
  provider: `CASE WHEN i % 1000003 = 3 THEN 'rare' ELSE 'provider-' || ${dice(7, SPREAD.providers)} END`,
  streamed: "1",
  status: `CASE WHEN ${dice(8, 100)} < 3 THEN 502 ELSE 200 END`,
  failure: `CASE WHEN ${dice(8, 100)} < 3 THEN 'upstream_error' ELSE NULL END`,
  attempts: `'${ATTEMPTS}'`,
  input_tokens: dice(9, 20_000),
  output_tokens: dice(10, 2_000),
  cache_read_tokens: dice(11, 10_000),
  cache_write_tokens: "0",
  reasoning_tokens: "0",
  usage_estimated: "0",
  cost_nano_usd: dice(12, 50_000_000),
  charge_nano_usd: dice(12, 50_000_000),
  decision: `'${DECISION}'`,
  first_content_ms: dice(13, 3_000),
  total_ms: dice(14, 20_000),
  overhead_ms: "1.5",
  conversation: `'conv_' || ${dice(15, SPREAD.conversations)}`,
  in_tool_loop: dice(16, 2),
  task_class: `'task-' || ${dice(17, SPREAD.tasks)}`,
  end_user: `'user-' || ${dice(18, SPREAD.endUsers)}`,
  tags: `CASE WHEN ${dice(19, 10)} = 0 THEN '["tag-' || ${dice(20, SPREAD.tags)} || '"]' ELSE NULL END`,
  warnings: "'[]'",
};

type Numbers = (from: number, to: number) => string;

export const sqliteNumbers: Numbers = (from, to) =>
  `(WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to}) SELECT i FROM n)`;
export const postgresNumbers: Numbers = (from, to) =>
  `(SELECT i::bigint AS i FROM generate_series(${from}, ${to}) AS made(i)) AS n`;

const PIECE = 1_000_000;

/** Fills the tables inside the database; indexes are made afterwards. Tells how long each part took. */
export async function fill(filling: Filling, rows: number, numbers: Numbers): Promise<void> {
  let began = performance.now();
  const tell = (what: string): void => {
    console.log(`  ${what}: ${((performance.now() - began) / 1_000).toFixed(0)} s`);
    began = performance.now();
  };
  const indexes = await filling.indexes();
  for (const { name } of indexes) await filling.run(`DROP INDEX ${name}`);
  for (const statement of filling.begin) await filling.run(statement);
  const stepMs = (SPREAD.days * DAY_MS) / rows;
  const expressions = {
    ...COLUMNS,
    started_at: `${FIRST_MS} + CAST(i * ${stepMs} AS ${numbers === sqliteNumbers ? "INTEGER" : "BIGINT"})`,
  };
  for (let from = 0; from < rows; from += PIECE) {
    const source = numbers(from, Math.min(rows, from + PIECE) - 1);
    await filling.run(
      `INSERT INTO request_records (${Object.keys(expressions).join(", ")}) SELECT ${Object.values(expressions).join(", ")} FROM ${source}`,
    );
    tell(`records up to ${Math.min(rows, from + PIECE).toLocaleString("en")}`);
  }
  await filling.run(
    `INSERT INTO request_tags SELECT organization_id, substr(tags, 3, length(tags) - 4), started_at, id FROM request_records WHERE tags IS NOT NULL`,
  );
  tell("tags");
  await fillRollups(filling, numbers);
  await filling.run("COMMIT");
  tell("sums");
  for (const { name, statement } of indexes) {
    await filling.run(statement);
    tell(name);
  }
  // Gateways never do it on SQLite: its plans must be right without. Postgres does it by itself.
  if (numbers === postgresNumbers) await filling.run("ANALYZE");
  tell("statistics");
}

/** As many values of each dimension a day as there may be: sums are made up, only their number matters. */
const ROLLUP_VALUES: readonly (readonly [dimension: string, value: string, count: number])[] = [
  ["total", "''", 1],
  ["model", "'model-' || v", SPREAD.models],
  ["provider", "'provider-' || v", SPREAD.providers],
  ["key", "'key_' || v", SPREAD.keys],
  ["project", "'proj_' || v", SPREAD.projects],
  ["team", "'team_' || v", SPREAD.teams],
  ["user", "'user-' || v", 1_000],
  ["tag", "'tag-' || v", SPREAD.tags],
  ["task", "'task-' || v", SPREAD.tasks],
  ["key+model", "'key_' || (v / 5) || '/model-' || (v % 5)", 5_000],
  [
    "project+model",
    "'proj_' || (v / 40) || '/model-' || (v % 40)",
    SPREAD.projects * SPREAD.models,
  ],
  [
    "provider+model",
    "'provider-' || (v / 40) || '/model-' || (v % 40)",
    SPREAD.providers * SPREAD.models,
  ],
];

async function fillRollups(filling: Filling, numbers: Numbers): Promise<void> {
  const sums = ROLLUP_SUMS.map((_, at) => `(1 + (d * 31 + v * 7 + ${at}) % 1000)`).join(", ");
  const named = (text: string, name: string): string => text.replaceAll(/\bi\b/g, name);
  for (const [dimension, value, count] of ROLLUP_VALUES) {
    const days = named(numbers(0, SPREAD.rollupDays - 1), "d").replace(/ AS n$/, " AS days");
    const values = named(numbers(0, count - 1), "v").replace(/ AS n$/, " AS vals");
    await filling.run(
      `INSERT INTO usage_rollups SELECT '${BIG_ORGANIZATION}', '${dimension}', 'day', ${LAST_DAY} - d * ${DAY_MS}, ${value}, ${sums} FROM ${days} CROSS JOIN ${values} ORDER BY 4, 5`,
    );
  }
}
