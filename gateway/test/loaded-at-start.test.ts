import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { expect, test } from "vitest";

const SOURCE = resolve(import.meta.dirname, "../src");
/** Static imports of values; types are erased, and `import()` waits until it is needed. */
const IMPORTS = /^(?:import|export)\s+(?!type\b)[^;]*?\bfrom\s+"([^"]+)"/gm;

/** Everything that a gateway loads before it answers anything. */
function loadedAtStart(): Map<string, string> {
  const reached = new Map<string, string>();
  const waiting = ["main.ts", "cli/serve.ts", "app.ts"];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const [, name = ""] of readFileSync(join(SOURCE, file), "utf8").matchAll(IMPORTS)) {
      if (reached.has(name)) continue;
      reached.set(name, file);
      if (name.startsWith("#")) waiting.push(name.slice(1));
    }
  }
  return reached;
}

test.for([
  ["the chain's library: 40 MB that only gateways with payments need", /^(?:viem|@x402\/)/],
  ["Valkey's client", /^ioredis/],
])("%s is not loaded at the start", ([, pattern]) => {
  const reached = loadedAtStart();
  expect(reached.size).toBeGreaterThan(200);
  const found = [...reached].filter(([name]) => (pattern as RegExp).test(name));
  expect(found).toEqual([]);
});
