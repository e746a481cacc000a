import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { asString, parseObject, type JsonObject } from "../../gateway/src/lib/json.ts";
import { bundle } from "./bundle.ts";
import { thirdPartyLicenses } from "./third-party-licenses.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** Builds the package that is published and packs it into `destination`; gives the tarball's path. */
export async function packRelease(destination: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "turnpike-pack-"));
  try {
    const metafile = await bundle(ROOT, folder);
    writeFileSync(join(folder, "THIRD-PARTY-LICENSES.txt"), thirdPartyLicenses(ROOT, metafile));
    for (const name of ["LICENSE", "README.md", "CHANGELOG.md"]) {
      copyFileSync(join(ROOT, name), join(folder, name));
    }
    writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
    mkdirSync(destination, { recursive: true });
    const args = ["pack", "--json", "--pack-destination", resolve(destination)];
    const packed = execFileSync("npm", args, { cwd: folder, encoding: "utf8" });
    return join(resolve(destination), fileNameOf(packed));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** No dependencies: everything is in the bundle. */
function manifest(): JsonObject {
  const own = parseObject(readFileSync(join(ROOT, "gateway/package.json"), "utf8")) ?? {};
  const { name, version, description, license, type, engines } = own;
  return { name, version, description, license, type, engines, bin: { turnpike: "main.js" } };
}

/** npm 11 prints a list of packages, npm 12 an object with a member for each. */
function fileNameOf(packed: string): string {
  const list = Object.values(JSON.parse(packed) as object) as readonly JsonObject[];
  const name = asString(list[0]?.["filename"]);
  if (name === undefined) throw new Error(`npm pack did not say what it made: ${packed}`);
  return name;
}
