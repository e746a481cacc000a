import { isObject } from "../../gateway/src/lib/json.ts";
import { maskSecrets } from "../../gateway/src/lib/mask-secrets.ts";
import type { ConfiguredProvider } from "../../gateway/src/providers/configured-providers.ts";
import type { Environment } from "../../gateway/src/providers/provider.ts";

/** Part of a host or a path too, so that recorded URLs stay URLs. */
const MASK = "masked";

const EMAIL = /\b[\w.+-]+@[\w-]+\.[\w.-]*[A-Za-z]\b/g;

/** Members whose value is a tenant's id whatever its shape. */
const TENANT_MEMBER =
  /("(?:organi[sz]ation|project|team|account|workspace|tenant|user|customer)(?:_?id)?"\s*:\s*)"[^"\\]+"/gi;

/** What never may be in a recording. */
export interface Secrets {
  /** The credentials themselves. */
  readonly keys: readonly string[];
  /** What names the customer in URLs: Azure resource, Google project, Cloudflare account. */
  readonly tenant: readonly string[];
}

/** Windows of a key as long as this are looked for, so that a key quoted in part is found as well. */
const CANARY_LENGTH = 16;
const MIN_SECRET_LENGTH = 8;
/** Where a provider runs, or how it is spoken to, is nobody's secret. */
const OPEN_VARIABLES: ReadonlySet<string> = new Set(["region", "location", "apiVersion"]);

/** All that the recording must not hold, from the environment and from the headers that are sent. */
export function secretsOf(
  { provider, variables }: ConfiguredProvider,
  env: Environment,
  sent: readonly string[],
): Secrets {
  const { auth } = provider;
  const names = [...auth.env, ...Object.values(auth.companions ?? {}).flat()];
  const values = [...names.map((name) => env[name]?.trim() ?? ""), ...sent.map(withoutScheme)];
  const keys = values.filter((value) => value.length >= MIN_SECRET_LENGTH);
  const tenant = Object.entries(variables).flatMap(([name, value]) =>
    OPEN_VARIABLES.has(name) ? [] : [value],
  );
  return { keys: [...new Set(keys)], tenant };
}

const withoutScheme = (header: string): string => header.replace(/^(?:Bearer|Basic)\s+/i, "");

/** The text without credentials, ids of tenants and addresses of persons. */
export function scrubText(text: string, { keys, tenant }: Secrets): string {
  const known = [...keys, ...tenant].toSorted((a, b) => b.length - a.length);
  const without = known.reduce((rest, secret) => rest.replaceAll(secret, MASK), text);
  return maskSecrets(without).replace(EMAIL, MASK).replace(TENANT_MEMBER, `$1"${MASK}"`);
}

/** The same for every string of a JSON value, where `\n` before a key would hide it from the patterns. */
export function scrubJson(value: unknown, secrets: Secrets, name?: string): unknown {
  if (typeof value === "string") return scrubMember(value, secrets, name);
  if (Array.isArray(value)) return value.map((item) => scrubJson(item, secrets));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, scrubJson(item, secrets, key)]),
  );
}

function scrubMember(text: string, secrets: Secrets, name: string | undefined): string {
  const member = name === undefined ? "" : `"${name}":"x"`;
  return member.search(TENANT_MEMBER) === 0 ? MASK : scrubText(text, secrets);
}

/** The first canary of a key in the text; a recording with one must not be written. */
export function findCanary(text: string, { keys }: Secrets): string | undefined {
  for (const key of keys) {
    const encoded = [key, encodeURIComponent(key), Buffer.from(key).toString("base64")];
    for (const form of encoded) {
      for (let at = 0; at === 0 || at + CANARY_LENGTH <= form.length; at++) {
        const window = form.slice(at, at + CANARY_LENGTH);
        if (text.includes(window)) return window;
      }
    }
  }
  return undefined;
}
