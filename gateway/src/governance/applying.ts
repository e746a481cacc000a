import type { AlertChannelEntry } from "@turnpike/contract/governance-file.ts";

import type { Deed } from "#governance/deed.ts";
import { canonicalJson } from "#lib/canonical-json.ts";
import type { OrganizationRows } from "#store/governance-names.ts";

/** What became, or would become, of one thing that a file names. */
export interface PlanEntry {
  /** Where the file names it: `["organizations", "acme", "teams", "search"]`. */
  readonly path: readonly string[];
  /** `missing`: a key that the file names and nobody has made. */
  readonly action: "create" | "update" | "delete" | "unchanged" | "missing";
}

/** Something in a file that cannot be done, and where it stands. */
export class FileFault extends Error {
  readonly path: readonly string[];
  constructor(path: readonly string[], message: string) {
    super(message);
    this.name = "FileFault";
    this.path = path;
  }
}

export interface Applying {
  readonly deed: Deed;
  /** Whether what the file does not name goes. */
  readonly prune: boolean;
  /** Notes what becomes of a thing, and does it. Throws `FileFault` in the words of the refusal. */
  readonly step: <Result>(
    entry: PlanEntry,
    act?: () => Promise<Result>,
  ) => Promise<Result | undefined>;
}

/** An organization that a file names. */
export interface AtOrganization {
  readonly path: readonly string[];
  readonly organizationId: string;
  readonly rows: OrganizationRows;
}

/**
 * The row of a name, else the one that it is renamed from. Throws `FileFault` where the file names the
 * earlier name still: whose the row is would depend on the order.
 */
export function rowNamed<Row extends { readonly name: string }>(
  rows: readonly Row[],
  path: readonly string[],
  entries: Readonly<Record<string, { readonly renamedFrom?: string | undefined } | null>>,
): Row | undefined {
  const name = path.at(-1) ?? "";
  const earlier = entries[name]?.renamedFrom;
  const row = rows.find((known) => known.name === name);
  if (row !== undefined || earlier === undefined) return row;
  if (Object.hasOwn(entries, earlier)) {
    const message = `"${earlier}" is in the file still. Rename it first, and apply that, then make the new one.`;
    throw new FileFault([...path, "renamedFrom"], message);
  }
  return rows.find((known) => known.name === earlier);
}

type ChannelEntries = Readonly<Record<string, AlertChannelEntry>>;

/** How alert channels come into a file, and out of one: they are sealed by what governance does not know. */
export interface ChannelsInFile {
  readonly read: (deed: Pick<Deed, "core">, organizationId: string) => Promise<ChannelEntries>;
  readonly apply: (
    applying: Applying,
    at: Pick<AtOrganization, "path" | "organizationId">,
    entries: ChannelEntries,
  ) => Promise<void>;
}

/** Whether two documents say the same, whatever the order of their members. */
export const isSame = (one: unknown, other: unknown): boolean =>
  canonicalJson(one) === canonicalJson(other);
