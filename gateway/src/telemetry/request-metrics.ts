import type { RequestRecord } from "#telemetry/request-record.ts";

type Counted = Pick<
  RequestRecord,
  "provider" | "modelUsed" | "status" | "failure" | "usage" | "costNanoUsd" | "chargeNanoUsd"
>;

interface Counts {
  requests: number;
  failed: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  costUsd: number;
  chargeUsd: number;
}

/** So many combinations have series of their own; the rest are counted together. */
const MAX_SERIES = 500;
const MAX_LABEL = 80;

/** Counters of the requests of this process since it began. */
export interface RequestMetrics {
  readonly note: (record: Counted) => void;
  /** In Prometheus's text format, `turnpike_requests_total` and so on. */
  readonly text: () => string;
}

/** Counts by provider, model and class of status; bounded, for callers name models. */
export function createRequestMetrics(): RequestMetrics {
  const series = new Map<string, Counts>();
  const countsOf = (labels: string): Counts => {
    const known = series.get(labels);
    if (known !== undefined) return known;
    const name = series.size < MAX_SERIES ? labels : OTHERS;
    const counts = series.get(name) ?? { ...NONE };
    series.set(name, counts);
    return counts;
  };
  return {
    note: (record) => add(countsOf(labelsOf(record)), record),
    text: () => METRICS.flatMap((metric) => linesOf(metric, series)).join("\n") + "\n",
  };
}

const NONE: Counts = {
  requests: 0,
  failed: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  costUsd: 0,
  chargeUsd: 0,
};

const OTHERS = 'provider="(other)",model="(other)",status="(other)"';

const labelsOf = ({ provider, modelUsed, status }: Counted): string =>
  `provider="${label(provider)}",model="${label(modelUsed)}",status="${Math.floor(status / 100)}xx"`;

const label = (text: string | null): string =>
  (text ?? "-")
    .slice(0, MAX_LABEL)
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n");

function add(counts: Counts, { failure, usage, costNanoUsd, chargeNanoUsd }: Counted): void {
  counts.requests += 1;
  counts.failed += failure === null ? 0 : 1;
  counts.costUsd += Number(costNanoUsd ?? 0n) / 1e9;
  counts.chargeUsd += Number(chargeNanoUsd ?? 0n) / 1e9;
  if (usage === null) return;
  counts.inputTokens += usage.inputTokens;
  counts.outputTokens += usage.outputTokens;
  counts.cacheReadTokens += usage.cacheReadTokens ?? 0;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly (readonly [labels: string, of: keyof Counts])[];
}

const METRICS: readonly Metric[] = [
  { name: "requests_total", help: "Requests that ended.", samples: [["", "requests"]] },
  { name: "requests_failed_total", help: "Of them those that failed.", samples: [["", "failed"]] },
  {
    name: "tokens_total",
    help: "Tokens by kind; cache reads are part of the input.",
    samples: [
      [',kind="input"', "inputTokens"],
      [',kind="output"', "outputTokens"],
      [',kind="cache_read"', "cacheReadTokens"],
    ],
  },
  {
    name: "cost_usd_total",
    help: "What providers cost, as computed.",
    samples: [["", "costUsd"]],
  },
  { name: "charge_usd_total", help: "What callers were charged.", samples: [["", "chargeUsd"]] },
];

const linesOf = (
  { name, help, samples }: Metric,
  series: ReadonlyMap<string, Counts>,
): readonly string[] => [
  `# HELP turnpike_${name} ${help}`,
  `# TYPE turnpike_${name} counter`,
  ...[...series].flatMap(([labels, counts]) =>
    samples.map(([own, of]) => `turnpike_${name}{${labels}${own}} ${counts[of]}`),
  ),
];
