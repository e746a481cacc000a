import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Metafile } from "esbuild";

import { asString, parseObject } from "../../gateway/src/lib/json.ts";

/** The folder of a package in the path of one of its files, nested ones included. */
const PACKAGE_FOLDER = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;
const LICENSE_FILE = /^(?:licen[cs]e|copying)(?:[.-].*)?$/i;

/** Name, version and licence text of every package of which code is in the bundle. */
export function thirdPartyLicenses(root: string, { inputs }: Metafile): string {
  const folders = Object.keys(inputs).map((file) => PACKAGE_FOLDER.exec(file)?.[0]);
  return [...new Set(folders)]
    .filter((folder) => folder !== undefined)
    .toSorted()
    .map((folder) => licenseOf(join(root, folder)))
    .join(`\n${"-".repeat(80)}\n\n`);
}

function licenseOf(folder: string): string {
  const manifest = parseObject(readFileSync(join(folder, "package.json"), "utf8")) ?? {};
  const files = readdirSync(folder).filter((name) => LICENSE_FILE.test(name));
  const texts = files.map((name) => readFileSync(join(folder, name), "utf8").trim());
  const license = asString(manifest["license"]) ?? "no licence named";
  return `${[`${String(manifest["name"])} ${String(manifest["version"])} (${license})`, ...texts].join("\n\n")}\n`;
}
