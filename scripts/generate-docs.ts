import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { generatedPages } from "./generate-docs/pages.ts";

const folder = resolve(import.meta.dirname, "../docs");
for (const [name, text] of Object.entries(generatedPages())) {
  writeFileSync(join(folder, name), text);
  console.log(`docs/${name}`);
}
