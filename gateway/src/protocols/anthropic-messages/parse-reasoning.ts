import { invalidRequest } from "#canonical/failure.ts";
import type { FieldReader } from "#canonical/field-reader.ts";
import type { OutputFormat, ReasoningEffort, ReasoningOptions } from "#canonical/chat-request.ts";
import type { JsonObject } from "#lib/json.ts";

/** Reads `thinking`: adaptive, enabled with a budget, or disabled. */
export function parseReasoning(thinking: FieldReader | undefined): ReasoningOptions {
  if (thinking === undefined) return {};
  const budgetTokens = thinking.count("budget_tokens");
  const type = thinking.requiredString("type");
  if (type === "disabled") return { enabled: false };
  if (type !== "enabled" && type !== "adaptive") {
    const field = thinking.field("type");
    throw invalidRequest(field, `${field} must be enabled, adaptive or disabled`);
  }
  const display = thinking.string("display");
  return {
    enabled: true,
    ...(budgetTokens !== undefined && { budgetTokens }),
    ...(display !== undefined && { summary: display === "omitted" ? "none" : "auto" }),
  };
}

const EFFORTS: ReadonlySet<string> = new Set(["low", "medium", "high", "xhigh", "max"]);

interface OutputConfig {
  readonly reasoning: ReasoningOptions;
  readonly format?: OutputFormat;
  /** Members that the vocabulary has no word for. */
  readonly rest: JsonObject;
}

/** Reads `output_config`: effort and format. */
export function parseOutputConfig(config: FieldReader | undefined): OutputConfig {
  if (config === undefined) return { reasoning: {}, rest: {} };
  const effort = config.string("effort");
  if (effort !== undefined && !EFFORTS.has(effort)) {
    const field = config.field("effort");
    throw invalidRequest(field, `${field} must be one of ${[...EFFORTS].join(", ")}`);
  }
  const format = parseFormat(config.nested("format"));
  const { effort: _effort, format: _format, ...rest } = config.object;
  return {
    reasoning: effort === undefined ? {} : { effort: effort as ReasoningEffort },
    ...(format !== undefined && { format }),
    rest,
  };
}

function parseFormat(format: FieldReader | undefined): OutputFormat | undefined {
  if (format === undefined) return undefined;
  const schema = format.objectAt("schema");
  if (format.requiredString("type") === "json_schema" && schema !== undefined) {
    return { type: "json-schema", schema };
  }
  throw invalidRequest(format.path, `${format.path} must be {type: "json_schema", schema: {…}}`);
}
