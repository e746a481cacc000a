import type { z } from "zod";

/**
 * What zod found wrong with a value, as people say it: `must be a number, not a text`. Given the
 * value, it says of an absent one what is needed.
 */
export function issueText(issue: z.core.$ZodIssue, of?: { readonly value: unknown }): string {
  if (of !== undefined && of.value === undefined) {
    return issueText(issue).replace(/^must be (.+)$/s, "is missing: $1 is needed");
  }
  // A rule's own words say more than its type.
  if (issue.message.startsWith("must ")) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return typeText(issue.expected, /received (\w+)$/.exec(issue.message)?.[1]);
    case "invalid_value":
      return `must be ${issue.values.map(String).join(" or ")}`;
    case "too_small":
      return `must ${boundText("at least", issue.minimum, issue.origin)}`;
    case "too_big":
      return `must ${boundText("at most", issue.maximum, issue.origin)}`;
    case "unrecognized_keys":
      return `${issue.keys.join(" and ")} is not known here`;
    case "invalid_format":
      return issue.format === "date" ? "must be a date such as 2026-01-31" : plain(issue.message);
    default:
      return plain(issue.message);
  }
}

const TYPES: Readonly<Record<string, string>> = {
  object: "a map of names and values",
  record: "a map of names and values",
  array: "a list",
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  null: "empty",
};

const typeName = (type: string): string => TYPES[type] ?? type;

function typeText(expected: string, received: string | undefined): string {
  if (received === "undefined") return `is missing: ${typeName(expected)} is needed`;
  if (received === undefined || received === expected) return `must be ${typeName(expected)}`;
  return `must be ${typeName(expected)}, not ${typeName(received)}`;
}

const UNITS: Readonly<Record<string, string>> = { string: "characters", array: "items" };

function boundText(bound: string, limit: number | bigint, origin: string): string {
  const unit = UNITS[origin];
  if (origin === "string" && bound === "at least" && limit === 1) return "not be empty";
  return unit === undefined ? `be ${bound} ${limit}` : `have ${bound} ${limit} ${unit}`;
}

const plain = (message: string): string => {
  const text = message.replace(/^Invalid input: /, "");
  return text.charAt(0).toLowerCase() + text.slice(1);
};
