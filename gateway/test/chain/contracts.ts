import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Hex } from "viem";

import { asObject, asString, parseObject } from "#lib/json.ts";

/** The bytecode of a contract: what a transaction deploys, and what lies at its address afterwards. */
export interface Contract {
  readonly creation: Hex;
  readonly deployed: Hex;
}

const SOURCES = join(import.meta.dirname, "contracts");
const COMPILER = join(import.meta.dirname, "compile-contracts.ts");

let compiled: ReadonlyMap<string, Contract> | undefined;

/** A contract of `contracts/*.sol`, by its name; compiled when a source or the compiler has changed. */
export function contract(name: string): Contract {
  compiled ??= readContracts();
  const found = compiled.get(name);
  if (found === undefined) throw new Error(`No contract in ${SOURCES} is called ${name}.`);
  return found;
}

function readContracts(): ReadonlyMap<string, Contract> {
  const folder = join(tmpdir(), "turnpike-contracts");
  const file = join(folder, `${sourcesHash()}.json`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const unfinished = `${file}.${process.pid}`;
    // Its own process: the compiler is 8 MB of WebAssembly that hooks itself into the process's errors.
    execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", COMPILER, unfinished]);
    renameSync(unfinished, file);
  }
  const contracts = parseObject(readFileSync(file, "utf8")) ?? {};
  return new Map(Object.entries(contracts).map(([name, value]) => [name, asContract(value)]));
}

function asContract(value: unknown): Contract {
  const fields = asObject(value);
  return { creation: hex(fields["creation"]), deployed: hex(fields["deployed"]) };
}

function hex(value: unknown): Hex {
  const digits = asString(value);
  if (digits === undefined || digits === "") throw new Error("The compiler gave no bytecode.");
  return `0x${digits}`;
}

function sourcesHash(): string {
  const manifests = [
    new URL(import.meta.resolve("solc/package.json")),
    new URL(import.meta.resolve("@openzeppelin/contracts/package.json")),
  ];
  const sources = readdirSync(SOURCES)
    .toSorted()
    .map((name) => join(SOURCES, name));
  const hash = createHash("sha256");
  for (const file of [COMPILER, ...sources, ...manifests]) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}
