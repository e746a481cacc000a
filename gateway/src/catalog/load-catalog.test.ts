import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { buildCatalog } from "#catalog/catalog.ts";
import { builtInCatalog, readCatalogFile } from "#catalog/load-catalog.ts";
import { parseCatalog } from "#catalog/parse-catalog.ts";

const folder = mkdtempSync(join(tmpdir(), "load-catalog-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("builtInCatalog", () => {
  test("is valid, for a start does not check it again", () => {
    const data = builtInCatalog();
    expect(parseCatalog(data)).toEqual(data);
    expect(buildCatalog(data).resolve("claude-sonnet-4-5")?.endpoints.length).toBeGreaterThan(3);
  });
});

describe("readCatalogFile", () => {
  test("reads a file of the catalogue's own form", async () => {
    const data = builtInCatalog();
    expect(await readCatalogFile(file("good.json", JSON.stringify(data)))).toEqual(data);
  });

  test.each([
    ["no JSON", "{"],
    ["nothing in it", "{}"],
    ["a wrong type", JSON.stringify({ ...builtInCatalog(), endpoints: [{ model: 7 }] })],
  ])("refuses a file with %s and names it", async (_, content) => {
    await expect(readCatalogFile(file("broken.json", content))).rejects.toThrow(
      "broken.json is refused",
    );
  });

  test("refuses a file that is not there", async () => {
    await expect(readCatalogFile(join(folder, "none.json"))).rejects.toThrow("none.json");
  });
});
