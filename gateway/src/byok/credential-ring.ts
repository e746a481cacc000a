import { GatewayError } from "#canonical/failure.ts";
import { openSecret } from "#byok/seal-secret.ts";
import type { Envelope } from "#privacy/envelope.ts";
import type { AuthDependencies, Authorize, Provider } from "#providers/provider.ts";
import { credentialsAfter, type StoredCredential } from "#store/credentials.ts";
import type { CoreTables } from "#store/schema.ts";
import type { Kysely } from "kysely";

/** A tenant's credential that is in force. The secret is in its closure and nowhere else. */
export interface OwnCredential {
  readonly id: string;
  readonly organizationId: string;
  /** `null`: of the whole organization. */
  readonly projectId: string | null;
  readonly provider: string;
  readonly name: string;
  readonly position: number;
  /** Absent: all keys of the organization or project. */
  readonly allowedKeyIds?: ReadonlySet<string>;
  readonly baseUrl?: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly attestsZeroRetention: boolean;
  readonly authorizeFor: (row: Provider, dependencies?: AuthDependencies) => Authorize | undefined;
  /** Another one after each change. */
  readonly revision: number;
}

/** All tenants' credentials in memory, by organization. */
export interface CredentialRing {
  /** Those of an organization that are in force; `undefined`: it has none. */
  of(organizationId: string): readonly OwnCredential[] | undefined;
  /** Why a credential that should be in force is not. */
  faultOf(id: string): string | undefined;
  /** Another number after each change. */
  generation(): number;
  /** Reads what changed up to a version of the directory. Rejects when the store cannot be read. */
  look(version: number): Promise<void>;
}

interface Options {
  readonly core: Kysely<CoreTables>;
  readonly envelope: Pick<Envelope, "open">;
  /** Told in words for the operator: credentials that cannot be opened. */
  readonly onNotice: (message: string) => void;
  /** Told which credentials are new or changed, as health names them. */
  readonly onChange: (credential: string) => void;
}

interface State extends Options {
  readonly inForce: Map<string, Map<string, OwnCredential>>;
  readonly lists: Map<string, readonly OwnCredential[]>;
  readonly faults: Map<string, string>;
  version: number;
  revision: number;
}

export function createCredentialRing(options: Options): CredentialRing {
  const state: State = {
    ...options,
    inForce: new Map(),
    lists: new Map(),
    faults: new Map(),
    version: 0,
    revision: 0,
  };
  let last = Promise.resolve();
  return {
    of: (organizationId) => state.lists.get(organizationId),
    faultOf: (id) => state.faults.get(id),
    generation: () => state.revision,
    look: (version) => {
      // One look after the other: two that overlap could take in the older one last.
      last = last.catch(() => undefined).then(() => take(state, version));
      return last;
    },
  };
}

/** So many are opened at once. */
const AT_ONCE = 64;

async function take(state: State, version: number): Promise<void> {
  if (version <= state.version) return;
  const rows = await credentialsAfter(state.core, state.version);
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    const some = rows.slice(at, at + AT_ONCE);
    const opened = await Promise.all(some.map((row) => open(state, row)));
    for (const [place, row] of some.entries()) apply(state, row, opened[place]);
  }
  for (const id of new Set(rows.map((row) => row.organization_id))) relist(state, id);
  state.version = version;
}

/** What it is made of, or why it cannot be used; `undefined`: it is out of force. */
type Opened = { readonly secret: string } | { readonly fault: string } | undefined;

async function open({ envelope }: State, row: StoredCredential): Promise<Opened> {
  if (row.disabled_at !== null || row.archived_at !== null) return undefined;
  try {
    const secret = await openSecret(envelope, row);
    return secret === undefined ? { fault: DESTROYED } : { secret };
  } catch (error) {
    // A store that cannot be read now is read again; a secret that does not open never will.
    if (error instanceof GatewayError) throw error;
    return { fault: UNREADABLE };
  }
}

const DESTROYED = "the key that it was sealed with was destroyed";
const UNREADABLE = "it was sealed under another master key, or damaged";

function apply(state: State, row: StoredCredential, opened: Opened): void {
  const { id, organization_id: organizationId } = row;
  state.revision += 1;
  state.faults.delete(id);
  const own = state.inForce.get(organizationId) ?? new Map<string, OwnCredential>();
  state.inForce.set(organizationId, own);
  own.delete(id);
  if (opened === undefined) return;
  if ("fault" in opened) return leaveOut(state, row, opened.fault);
  try {
    own.set(id, credentialOf(row, opened.secret, state.revision));
  } catch {
    return leaveOut(state, row, "it cannot be read");
  }
  state.onChange(`${row.provider}@byok:${id}`);
}

function leaveOut(
  state: State,
  { id, provider, organization_id }: StoredCredential,
  why: string,
): void {
  state.faults.set(id, why);
  state.onNotice(`Credential ${id} (${provider}, of ${organization_id}) is left out: ${why}.`);
}

/** Throws where a column is not what was written there. */
function credentialOf(row: StoredCredential, secret: string, revision: number): OwnCredential {
  const keys = row.allowed_key_ids;
  return {
    id: row.id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    provider: row.provider,
    name: row.name,
    position: row.position,
    variables: JSON.parse(row.variables) as Record<string, string>,
    attestsZeroRetention: row.zero_retention_at !== null,
    authorizeFor: (provider, dependencies) => provider.auth.withSecret?.(secret, dependencies),
    revision,
    ...(row.base_url !== null && { baseUrl: row.base_url }),
    ...(keys !== null && { allowedKeyIds: new Set(JSON.parse(keys) as readonly string[]) }),
  };
}

/** A project's own before the organization's, then by position. */
function relist(state: State, organizationId: string): void {
  const own = [...(state.inForce.get(organizationId)?.values() ?? [])];
  if (own.length === 0) {
    state.lists.delete(organizationId);
    state.inForce.delete(organizationId);
    return;
  }
  const level = ({ projectId }: OwnCredential): number => (projectId === null ? 1 : 0);
  state.lists.set(
    organizationId,
    own.toSorted(
      (a, b) => level(a) - level(b) || a.position - b.position || (a.id < b.id ? -1 : 1),
    ),
  );
}
