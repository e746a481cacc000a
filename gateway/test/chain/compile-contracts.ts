import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import solc from "solc";

interface Bytecode {
  readonly object: string;
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<
    Record<
      string,
      Readonly<Record<string, { evm: Record<"bytecode" | "deployedBytecode", Bytecode> }>>
    >
  >;
}

const FOLDER = join(import.meta.dirname, "contracts");
const OPENZEPPELIN = new URL(".", import.meta.resolve("@openzeppelin/contracts/package.json"));
const OPENZEPPELIN_PREFIX = "@openzeppelin/contracts/";

/** Sources find each other by name, and OpenZeppelin's by its package. */
function readImport(path: string): { contents: string } | { error: string } {
  if (!path.startsWith(OPENZEPPELIN_PREFIX)) return { error: `${path} is not one of the sources` };
  const file = new URL(path.slice(OPENZEPPELIN_PREFIX.length), OPENZEPPELIN);
  return { contents: readFileSync(file, "utf8") };
}

const names = readdirSync(FOLDER).filter((name) => name.endsWith(".sol"));
const input = {
  language: "Solidity",
  sources: Object.fromEntries(
    names.map((name) => [name, { content: readFileSync(join(FOLDER, name), "utf8") }]),
  ),
  settings: {
    optimizer: { enabled: true, runs: 200 },
    outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.deployedBytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport })) as Output;
const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
if (errors.length > 0) {
  throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
}
const contracts = names.flatMap((name) => Object.entries(output.contracts[name] ?? {}));
writeFileSync(
  process.argv[2] ?? "",
  JSON.stringify(
    Object.fromEntries(
      contracts.map(([name, { evm }]) => [
        name,
        { creation: evm.bytecode.object, deployed: evm.deployedBytecode.object },
      ]),
    ),
  ),
);
