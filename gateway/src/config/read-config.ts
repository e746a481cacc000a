import { readFileSync } from "node:fs";

import type { AuthSection } from "@turnpike/contract/config-auth.ts";
import {
  configSchema,
  type ConfigFile,
  type ProviderEntry,
  type RoutingSection,
} from "@turnpike/contract/config.ts";
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";

import { ConfigError, pathText, type ConfigFault, type ConfigPath } from "./config-error.ts";
import { describeIssue } from "./describe-issue.ts";
import { expandVariables } from "./expand-variables.ts";
import { providerFaults } from "./provider-faults.ts";
import { routingFaults } from "./routing-faults.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** `turnpike.yaml`, checked: providers always a list, absent sections empty, variables expanded. */
export interface Config {
  readonly providers: readonly ProviderEntry[];
  /** The operator's names for models. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly server: NonNullable<ConfigFile["server"]>;
  readonly timeouts: NonNullable<ConfigFile["timeouts"]>;
  readonly limits: NonNullable<ConfigFile["limits"]>;
  /** Absent: this gateway learns of health alone. */
  readonly valkey?: NonNullable<ConfigFile["valkey"]>;
  readonly auth: AuthSection;
  readonly routing: RoutingSection;
}

/** Reads and checks a file. @throws ConfigError naming the line and path of everything that is wrong */
export function readConfigFile(file: string, env: Environment): Config {
  return parseConfig(readFileSync(file, "utf8"), env, file);
}

/** The same for text. `file` is only used in messages. */
export function parseConfig(text: string, env: Environment, file = "turnpike.yaml"): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const source: Source = { document, lines };
  const refuse = (faults: readonly ConfigFault[]): never => {
    throw new ConfigError(file, faults);
  };
  if (document.errors.length > 0) refuse(document.errors.map(syntaxFault));
  const written = toValue(document, refuse);
  const { value, faults } = expandVariables(written ?? {}, env);
  const result = configSchema.safeParse(value);
  const issues = result.success ? [] : result.error.issues.flatMap((issue) => describeIssue(issue));
  const unset = new Set(faults.map(({ path }) => path));
  const placed = issues
    .map(({ at, message }) => ({ path: pathText(at), at, message }))
    .filter(({ path }) => !unset.has(path));
  const all = [...faults, ...placed].map(({ at, path, message }) =>
    faultAt(source, at, { path, message }),
  );
  if (all.length > 0 || result.data === undefined) return refuse(all);
  const config = normalise(result.data);
  const listed = Array.isArray(result.data.providers);
  const wrong = providerFaults(config.providers).map(({ index, field, message }) => {
    const entry = listed ? index : (config.providers[index]?.id ?? "");
    const at = ["providers", entry, ...(field === undefined ? [] : [field])];
    return faultAt(source, at, { path: pathText(at), message });
  });
  const misrouted = routingFaults(config).map(({ at, message }) =>
    faultAt(source, at, { path: pathText(at), message }),
  );
  if (wrong.length + misrouted.length > 0) refuse([...wrong, ...misrouted]);
  return config;
}

interface Source {
  readonly document: Document;
  readonly lines: LineCounter;
}

/** An alias bomb (`&a [*a, *a]`) is refused by the parser when the value is built. */
function toValue(document: Document, refuse: (faults: readonly ConfigFault[]) => never): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    return refuse([{ path: "", message: error instanceof Error ? error.message : String(error) }]);
  }
}

function syntaxFault(error: Document["errors"][number]): ConfigFault {
  const line = error.linePos?.[0].line;
  const message = error.message.split(" at line ")[0] ?? error.message;
  return { path: "", message, ...(line !== undefined && { line }) };
}

function faultAt({ document, lines }: Source, at: ConfigPath, fault: ConfigFault): ConfigFault {
  const offset = offsetOf(document, at);
  return offset === undefined ? fault : { ...fault, line: lines.linePos(offset).line };
}

/** Where the deepest part of the path that is in the file begins. */
function offsetOf(document: Document, path: ConfigPath): number | undefined {
  const root = document.contents;
  let place: Place = { node: root, offset: startOf(root) };
  for (const part of path) {
    const next = step(place.node, part);
    if (next.offset === undefined) break;
    place = next;
  }
  return place.offset;
}

interface Place {
  readonly node: Node | null | undefined;
  readonly offset: number | undefined;
}

const startOf = (node: Node | null | undefined): number | undefined => node?.range?.[0];

/** One step down: a member counts from its key, an item from itself. */
function step(node: Place["node"], part: string | number): Place {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
    return { node: pair?.value as Node | null, offset: startOf(pair?.key as Node | undefined) };
  }
  const item = isSeq(node) ? (node.items[Number(part)] as Node | undefined) : undefined;
  return { node: item, offset: startOf(item) };
}

const normalise = ({
  providers,
  aliases,
  server,
  timeouts,
  limits,
  routing,
  valkey,
  auth,
}: ConfigFile): Config => ({
  providers: Array.isArray(providers)
    ? providers
    : Object.entries(providers ?? {}).map(([id, entry]) => ({ ...entry, id })),
  aliases: aliases ?? {},
  server: server ?? {},
  timeouts: timeouts ?? {},
  limits: limits ?? {},
  ...(valkey !== null && valkey !== undefined && { valkey }),
  auth: auth ?? {},
  routing: routing ?? {},
});
