import { cpSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";

import { build, type Metafile } from "esbuild";

/** What the code reads beside itself. */
const DATA = [
  "catalog/data/catalog.json",
  "catalog/data/abilities.json",
  "routing/auto/data/router-model.bin",
];

/** Packages of CommonJS call `require`, which modules do not have. */
const REQUIRE =
  'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/**
 * Bundles the gateway and all that it imports into a folder. The files find each other and the
 * catalogue beside themselves, so that nothing may be in a folder of its own but the catalogue.
 */
export async function bundle(root: string, folder: string): Promise<Metafile> {
  const source = join(root, "gateway/src");
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [
      { in: join(source, "main.ts"), out: "main" },
      { in: join(source, "store/sqlite-worker.ts"), out: "sqlite-worker" },
      { in: join(source, "store/sqlite-checkpointer.ts"), out: "sqlite-checkpointer" },
      { in: join(source, "ledger/ledger-procedure.ts"), out: "ledger-procedure" },
    ],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    banner: { js: REQUIRE },
    // Their texts are in THIRD-PARTY-LICENSES.txt, once a package.
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  for (const file of DATA) cpSync(join(source, file), join(folder, "data", basename(file)));
  return metafile;
}
