import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { expect, test } from "vitest";

import { configSchemaJson } from "./config-schema.ts";

test("docs/turnpike.schema.json is what the schema says (npm run docs writes it)", () => {
  const file = resolve(import.meta.dirname, "../../docs/turnpike.schema.json");
  expect(readFileSync(file, "utf8")).toBe(configSchemaJson());
});
