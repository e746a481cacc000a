import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";

import type { Kysely } from "kysely";

import { canonicalJson } from "#lib/canonical-json.ts";
import { isObject } from "#lib/json.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import { insertSigningKey, listSigningKeys, type SigningKeyRow } from "#store/signing-keys.ts";
import type { CoreTables } from "#store/schema.ts";

/** What an erasure did, signed. */
export interface Receipt {
  readonly document: "turnpike-erasure-receipt-1";
  readonly erasure_id: string;
  readonly organization_id: string;
  /** What was to be erased; a person as a pseudonym. */
  readonly target: unknown;
  readonly requested_at: string;
  readonly completed_at: string;
  readonly counts: Readonly<Record<string, number>>;
  /** Copies in backups that the operator made before: until these are gone. */
  readonly backup_days: number;
  readonly signing_key: string;
  /** Ed25519 over the canonical JSON (RFC 8785) of all else, base64url. */
  readonly signature: string;
}

/** The one key that receipts are signed with; made when it is first needed. */
const SIGNING_KEY = "receipts";

const context = (id: string): string => JSON.stringify(["signing-key", id]);

async function signingKey(
  core: Kysely<CoreTables>,
  master: Master,
  now: number,
): Promise<SigningKeyRow> {
  const [known] = await listSigningKeys(core);
  if (known !== undefined) return known;
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const secret = privateKey.export({ type: "pkcs8", format: "der" });
  await insertSigningKey(core, {
    id: SIGNING_KEY,
    public_key: publicKey.export({ type: "spki", format: "pem" }),
    sealed: master.seal(secret, context(SIGNING_KEY)),
    created_at: now,
  });
  // Not the one just made: another gateway may have been first.
  const [made] = await listSigningKeys(core);
  if (made === undefined) throw new Error("the signing key was not stored");
  return made;
}

type Master = Pick<MasterKey, "seal" | "open">;

/** The public key of receipts, in PEM. */
export const receiptPublicKey = async (
  core: Kysely<CoreTables>,
  master: Master,
  now: number,
): Promise<string> => (await signingKey(core, master, now)).public_key;

/** Signs what an erasure did. */
export async function signReceipt(
  {
    core,
    master,
    now,
  }: { readonly core: Kysely<CoreTables>; readonly master: Master; readonly now: number },
  facts: Omit<Receipt, "document" | "signing_key" | "signature">,
): Promise<Receipt> {
  const row = await signingKey(core, master, now);
  const der = master.open(Buffer.from(row.sealed), context(row.id));
  const key = createPrivateKey({ key: der, type: "pkcs8", format: "der" });
  const unsigned = {
    document: "turnpike-erasure-receipt-1",
    ...facts,
    signing_key: row.id,
  } as const;
  return { ...unsigned, signature: sign(null, bytesOf(unsigned), key).toString("base64url") };
}

const bytesOf = (unsigned: object): Buffer => Buffer.from(canonicalJson(unsigned));

/** Whether a receipt was signed by the holder of a public key, and says what it said then. */
export function verifyReceipt(receipt: unknown, publicPem: string): boolean {
  if (!isObject(receipt) || typeof receipt["signature"] !== "string") return false;
  const { signature, ...unsigned } = receipt;
  let key: KeyObject;
  try {
    key = createPublicKey(publicPem);
  } catch {
    return false;
  }
  return verify(null, bytesOf(unsigned), key, Buffer.from(signature, "base64url"));
}
