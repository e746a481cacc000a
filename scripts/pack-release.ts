import { statSync } from "node:fs";
import { relative, resolve } from "node:path";

import { packRelease } from "./pack-release/pack.ts";

const file = await packRelease(resolve(import.meta.dirname, "../dist"));
const megabytes = (statSync(file).size / 1e6).toFixed(1);
console.log(`${relative(process.cwd(), file)}, ${megabytes} MB`);
