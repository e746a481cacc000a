import type { Envelope } from "#privacy/envelope.ts";
import type { StoredCredential } from "#store/credentials.ts";

type Whose = Pick<StoredCredential, "id" | "organization_id">;

/** Columns of a credential that its secret is in. */
export type SealedSecret = Pick<StoredCredential, "sealed" | "encryption_key" | "hint">;

const FIELD = "secret";
const HINT_CHARACTERS = 4;
/** Of a shorter secret, four characters would tell too much. */
const LEAST_HINTED = 16;

/** Seals a secret to its organization and credential: put elsewhere, it does not open. */
export async function sealSecret(
  envelope: Pick<Envelope, "sealFor">,
  { id, organization_id: organizationId }: Whose,
  secret: string,
): Promise<SealedSecret> {
  const subject = { kind: "credential", id } as const;
  const { keyId, fields } = await envelope.sealFor(
    { organizationId, purpose: "credentials", subject },
    id,
    { [FIELD]: Buffer.from(secret) },
  );
  const hint = secret.length < LEAST_HINTED ? "" : secret.slice(-HINT_CHARACTERS);
  return { sealed: fields[FIELD] ?? Buffer.alloc(0), encryption_key: keyId, hint };
}

/** `undefined`: its key was destroyed. Throws where it was changed, or the master key is another one. */
export async function openSecret(
  envelope: Pick<Envelope, "open">,
  row: Whose & Pick<StoredCredential, "sealed" | "encryption_key">,
): Promise<string | undefined> {
  const opened = await envelope.open({
    organizationId: row.organization_id,
    recordId: row.id,
    keyId: row.encryption_key,
    fields: { [FIELD]: Buffer.from(row.sealed) },
  });
  return opened?.[FIELD]?.toString();
}
