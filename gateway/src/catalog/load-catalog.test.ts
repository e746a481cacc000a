import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type CatalogHolder, loadCatalog } from "./load-catalog.ts";
import { CatalogError } from "./parse-catalog.ts";

const folder = mkdtempSync(join(tmpdir(), "load-catalog-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("loadCatalog", () => {
  test("reads the built-in catalogue", () => {
    const holder: CatalogHolder = { current: loadCatalog() };
    expect(holder.current.resolve("claude-sonnet-4-5")?.endpoints.length).toBeGreaterThan(3);
  });

  test("adds the operator's file, whose endpoints replace built-in ones", () => {
    const endpoint = {
      model: "gpt-5.1",
      provider: "openai",
      upstreamModel: "gpt-5.1",
      prices: { input: 1, output: 2 },
      source: { name: "own contract", date: "2026-01-02" },
    };
    const overrideFile = file("good.json", JSON.stringify({ endpoints: [endpoint] }));
    expect(loadCatalog({ overrideFile }).endpoint("openai", "gpt-5.1")?.prices).toEqual({
      input: 1,
      output: 2,
    });
  });

  test.each([
    ["no JSON", "{"],
    ["a wrong type", JSON.stringify({ endpoints: [{ model: 7 }] })],
  ])("refuses a file with %s and names it", (_, content) => {
    const overrideFile = file("broken.json", content);
    expect(() => loadCatalog({ overrideFile })).toThrow(CatalogError);
    expect(() => loadCatalog({ overrideFile })).toThrow(overrideFile);
  });

  test("refuses a file that is not there, and a broken catalogue", () => {
    expect(() => loadCatalog({ overrideFile: join(folder, "none.json") })).toThrow("none.json");
    expect(() => loadCatalog({ catalogFile: file("empty.json", "{}") })).toThrow("schema: ");
  });
});
