#!/usr/bin/env node
// Nothing is imported before the check: older versions cannot even read the other files.
const found = process.versions.node;
if (Number(found.split(".")[0]) >= 24) {
  // Later starts skip the stripping of types: half the time, and 20 MB less memory.
  const { enableCompileCache } = await import("node:module");
  enableCompileCache();
  const { main } = await import("#cli/run.ts");
  await main();
} else {
  process.stderr.write(
    `Turnpike needs Node 24 or newer and this is ${found}. In a clone, use "npm start" (it brings its own Node); elsewhere install Node 26 from https://nodejs.org.\n`,
  );
  process.exitCode = 1;
}
