import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";

import { ADMIN_ROUTES } from "#http/admin/admin-routes.ts";
import { openApiDocument } from "#http/admin/openapi.ts";
import { asArray, asObject, type JsonObject } from "#lib/json.ts";

const document = openApiDocument(ADMIN_ROUTES);

const operations = Object.entries(asObject(document["paths"])).flatMap(([path, item]) =>
  Object.entries(asObject(item)).map(([method, operation]) => ({
    path,
    method,
    operation: asObject(operation),
  })),
);

/** Every schema in the document, wherever it stands. */
function schemasOf(value: unknown): readonly JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(schemasOf);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => [
    ...(name === "schema" ? [asObject(item)] : []),
    ...schemasOf(item),
  ]);
}

test("there is an operation a route, with an id of its own", () => {
  expect(operations).toHaveLength(ADMIN_ROUTES.length);
  const ids = operations.map(({ operation }) => operation["operationId"]);
  expect(new Set(ids).size).toBe(ADMIN_ROUTES.length);
});

test("parameters in paths are declared, and all references lead somewhere", () => {
  for (const { path, operation } of operations) {
    const declared = asArray(operation["parameters"])
      .map(asObject)
      .filter((parameter) => parameter["in"] === "path")
      .map((parameter) => parameter["name"]);
    expect([path, declared]).toEqual([
      path,
      [...path.matchAll(/\{(\w+)\}/g)].map(([, one]) => one),
    ]);
  }
  for (const [, reference = ""] of JSON.stringify(document).matchAll(/"\$ref":"(#[^"]*)"/g)) {
    const found = reference
      .slice(2)
      .split("/")
      .reduce<unknown>((at, name) => asObject(at)[name], document);
    if (reference.startsWith("#/components/")) expect([reference, found]).not.toContain(undefined);
  }
});

test("every schema is one of JSON Schema 2020-12, as OpenAPI 3.1 has it", () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const schemas = schemasOf(document);
  expect(schemas.length).toBeGreaterThan(ADMIN_ROUTES.length);
  for (const schema of schemas) {
    const valid = ajv.validateSchema(schema);
    expect([valid, ajv.errors, valid === true ? "" : JSON.stringify(schema)]).toEqual([
      true,
      null,
      "",
    ]);
  }
});

test("it names no secret's digest, and tells of problems and of how to be let in", () => {
  const text = JSON.stringify(document);
  expect(text).not.toMatch(/password_hash|token_digest|"digest"/);
  expect(text).toContain("application/problem+json");
  expect(Object.keys(asObject(asObject(document["components"])["securitySchemes"]))).toEqual([
    "adminKey",
    "session",
  ]);
});
