import { appendFileSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { postForm } from "../gateway/src/market/post-form.ts";
import { discoverProviders } from "../gateway/src/providers/configured-providers.ts";
import { createDialer } from "../gateway/src/upstream/dialer.ts";
import { recordProvider } from "./record-fixture/record.ts";

const USAGE = `Runs the standard scenarios against a real provider with the key in the environment and writes
what came back, scrubbed, as a line an exchange. It spends a few cents of that key.

  npm run record -- <provider> [--model <the provider's id of a model>] [--out DIR]

  --model   default: the cheapest of the catalogue that calls tools
  --out     default: recordings; lines are added to DIR/<provider>.jsonl
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      model: { type: "string" },
      out: { type: "string", default: "recordings" },
      help: { type: "boolean", default: false },
    },
  });
  const [id] = positionals;
  if (values.help || id === undefined || positionals.length > 1) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  const trusted = new Set<string>();
  const dialer = createDialer(() => trusted);
  const env = process.env;
  const found = discoverProviders(env, { dependencies: { post: postForm(dialer.send) } });
  const configured = found.find((one) => one.id === id);
  if (configured === undefined) {
    const known = found.map((one) => one.id).join(", ");
    console.error(`No key for "${id}" is in the environment. There are keys for: ${known}.`);
    return 1;
  }
  if (configured.privateAddressAllowed) configured.origins.forEach((origin) => trusted.add(origin));
  const report = (text: string): void => console.error(text);
  const recorder = { configured, env, send: dialer.send, now: () => new Date(), report };
  try {
    const lines = await recordProvider(recorder, values.model);
    const file = join(resolve(values.out), `${id}.jsonl`);
    mkdirSync(resolve(values.out), { recursive: true });
    appendFileSync(file, lines.map((line) => `${line}\n`).join(""));
    console.log(`${lines.length} exchanges in ${file}`);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    await dialer.close();
  }
}

process.exitCode = await main();
