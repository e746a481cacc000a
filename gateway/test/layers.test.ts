import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { describe, expect, test } from "vitest";

const SOURCE = resolve(import.meta.dirname, "../src");

/**
 * Which folder may import which; the reasons are in ARCHITECTURE.md. A folder always may import
 * itself. Protocol folders may not import each other, and `../` is not used at all.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  canonical: ["lib"],
  protocols: ["canonical", "lib"],
  catalog: ["canonical", "lib"],
  providers: ["protocols", "canonical", "lib"],
  store: ["canonical", "lib"],
  ledger: ["store", "catalog", "canonical", "lib"],
  governance: ["ledger", "store", "catalog", "canonical", "lib"],
  limits: ["governance", "canonical", "lib"],
  payments: ["governance", "ledger", "store", "telemetry", "upstream", "canonical", "lib"],
  privacy: ["store", "canonical", "lib"],
  telemetry: ["store", "canonical", "lib"],
  upstream: ["canonical", "lib"],
  alerts: ["governance", "health", "privacy", "store", "upstream", "canonical", "lib"],
  config: ["routing", "health", "providers", "catalog", "canonical", "lib"],
  demo: ["providers", "catalog", "protocols", "upstream", "canonical", "lib"],
  health: ["canonical", "lib"],
  routing: ["health", "providers", "protocols", "catalog", "canonical", "lib"],
  byok: [
    "routing",
    "providers",
    "governance",
    "privacy",
    "store",
    "upstream",
    "catalog",
    "canonical",
    "lib",
  ],
  pipeline: [
    "byok",
    "routing",
    "health",
    "providers",
    "protocols",
    "catalog",
    "store",
    "ledger",
    "governance",
    "limits",
    "payments",
    "privacy",
    "telemetry",
    "upstream",
    "canonical",
    "lib",
  ],
  market: ["routing", "demo", "config", "providers", "catalog", "upstream", "canonical", "lib"],
  http: [
    "alerts",
    "byok",
    "pipeline",
    "routing",
    "health",
    "protocols",
    "governance",
    "ledger",
    "payments",
    "privacy",
    "telemetry",
    "catalog",
    "canonical",
    "lib",
  ],
  cli: [
    "alerts",
    "byok",
    "app.ts",
    "market",
    "routing",
    "health",
    "pipeline",
    "telemetry",
    "config",
    "providers",
    "catalog",
    "store",
    "ledger",
    "payments",
    "governance",
    "privacy",
    "upstream",
    "canonical",
    "lib",
  ],
};

/** Everything may be put together here. */
const ROOTS: ReadonlySet<string> = new Set(["app", "app.ts", "main.ts"]);

interface Import {
  readonly file: string;
  readonly target: string;
}

const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
);

const imports: readonly Import[] = files.flatMap((file) => {
  const text = readFileSync(join(SOURCE, file), "utf8");
  const found = text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g);
  return [...found].map((match) => ({ file, target: match[1] ?? "" }));
});

const folderOf = (path: string): string => path.split("/")[0] ?? "";

describe("layers", () => {
  test("every folder is in the table, and every row has a folder", () => {
    const folders = new Set(files.map(folderOf).filter((folder) => !ROOTS.has(folder)));
    expect([...folders].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
  });

  test("a folder imports only what its row allows", () => {
    const wrong = imports.filter(({ file, target }) => {
      const from = folderOf(file);
      if (ROOTS.has(from) || !target.startsWith("#")) return false;
      const to = folderOf(target.slice(1));
      return to !== from && !(MAY_IMPORT[from] ?? []).includes(to);
    });
    expect(wrong).toEqual([]);
  });

  test("nothing is imported by way of ../", () => {
    expect(imports.filter(({ target }) => target.startsWith(".."))).toEqual([]);
  });

  test("protocols do not import each other", () => {
    const wrong = imports.filter(({ file, target }) => {
      const [folder, protocol, inside] = file.split("/");
      if (folder !== "protocols" || inside === undefined || !target.startsWith("#protocols/"))
        return false;
      const [, other, deeper] = target.split("/");
      return deeper !== undefined && other !== protocol;
    });
    expect(wrong).toEqual([]);
  });
});
