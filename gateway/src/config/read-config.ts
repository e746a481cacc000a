import { readFileSync } from "node:fs";

import type { AuthSection } from "@turnpike/contract/config-auth.ts";
import type { PaymentsSection } from "@turnpike/contract/config-payments.ts";
import {
  configSchema,
  type ConfigFile,
  type ProviderEntry,
  type RoutingSection,
} from "@turnpike/contract/config.ts";

import { ConfigError, pathText, type ConfigFault } from "./config-error.ts";
import { describeIssue } from "./describe-issue.ts";
import { expandVariables } from "./expand-variables.ts";
import { providerFaults } from "./provider-faults.ts";
import { routingFaults } from "./routing-faults.ts";
import { faultAt, openYaml, syntaxFault, toValue } from "./yaml-source.ts";

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
  /** Absent: alerts are not mailed. */
  readonly smtp?: NonNullable<ConfigFile["smtp"]>;
  readonly alerts: NonNullable<ConfigFile["alerts"]>;
  readonly guardrails: NonNullable<ConfigFile["guardrails"]>;
  readonly auth: AuthSection;
  /** Absent: nobody pays here. */
  readonly payments?: PaymentsSection;
  readonly routing: RoutingSection;
}

/** Reads and checks a file. @throws ConfigError naming the line and path of everything that is wrong */
export function readConfigFile(file: string, env: Environment): Config {
  return parseConfig(readFileSync(file, "utf8"), env, file);
}

/** The same for text. `file` is only used in messages. */
export function parseConfig(text: string, env: Environment, file = "turnpike.yaml"): Config {
  const source = openYaml(text);
  const { document } = source;
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

/** The section where it is written. */
const present = <Name extends string, Section>(
  name: Name,
  section: Section | null | undefined,
): { readonly [Key in Name]?: Section } =>
  section === null || section === undefined
    ? {}
    : ({ [name]: section } as { readonly [Key in Name]: Section });

const normalise = ({
  providers,
  aliases,
  server,
  timeouts,
  limits,
  routing,
  valkey,
  smtp,
  alerts,
  guardrails,
  auth,
  payments,
}: ConfigFile): Config => ({
  providers: Array.isArray(providers)
    ? providers
    : Object.entries(providers ?? {}).map(([id, entry]) => ({ ...entry, id })),
  aliases: aliases ?? {},
  server: server ?? {},
  timeouts: timeouts ?? {},
  limits: limits ?? {},
  alerts: alerts ?? {},
  guardrails: guardrails ?? {},
  ...present("smtp", smtp),
  ...present("valkey", valkey),
  auth: auth ?? {},
  ...present("payments", payments),
  routing: routing ?? {},
});
