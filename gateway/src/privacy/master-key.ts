import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const MIN_SECRET_LENGTH = 32;

/** Keys that everything secret at rest is protected by, derived from one master secret. */
export interface MasterKey {
  /** Names the secret that seals, without telling anything of it. */
  readonly id: string;
  /** Pepper of the HMACs of API keys; stays the same when the master key is rotated. */
  readonly keyPepper: Buffer;
  /** Makes pseudonyms of subjects; stays the same, too. */
  readonly subjectKey: Buffer;
  /** Encrypts with AES-256-GCM; `context` is authenticated, not stored. */
  seal(plain: Buffer, context: string): Buffer;
  /** Throws when the text was sealed by an unknown master key, for another context, or was changed. */
  open(sealed: Buffer, context: string): Buffer;
}

/** Holds the master secret, where the data folder does not. */
export const MASTER_KEY_VARIABLE = "TURNPIKE_MASTER_KEY";

/**
 * Takes the master secret from `TURNPIKE_MASTER_KEY` (at least 32 characters) or from the key file
 * in the data folder, which is made on first use with mode 0600. Both may hold several words: the
 * secret that seals, earlier ones that still open, and `pepper:…`, which outlives rotation.
 */
export function loadMasterKey(folder: string, fromEnvironment: string | undefined): MasterKey {
  if (fromEnvironment === undefined || fromEnvironment === "") {
    return masterKeyOf(readKeyFile(keyFile(folder)));
  }
  const words = wordsOf(fromEnvironment);
  if (words.secrets.some(({ length }) => length < MIN_SECRET_LENGTH)) {
    throw new Error(`TURNPIKE_MASTER_KEY must have at least ${MIN_SECRET_LENGTH} characters.`);
  }
  return masterKeyOf(fromEnvironment);
}

const keyFile = (folder: string): string => join(folder, "master.key");

/** Makes a new secret the one that seals; the earlier ones stay to open. Returns the file's new text. */
export function rotatedSecret(text: string): string {
  const { secrets, pepper } = wordsOf(text);
  return [randomBytes(32).toString("hex"), PEPPER + pepper.toString("hex"), ...secrets].join(" ");
}

/** Rotates the key file of a data folder, whole or not at all. */
export function rotateKeyFile(folder: string): MasterKey {
  const path = keyFile(folder);
  const next = rotatedSecret(readKeyFile(path));
  const draft = `${path}.new`;
  writeFileSync(draft, `${next}\n`, { mode: 0o600, flush: true });
  renameSync(draft, path);
  return masterKeyOf(next);
}

/** Forgets the secrets before the present one: what they alone can open is lost. */
export function forgetEarlierSecrets(folder: string): void {
  const path = keyFile(folder);
  const { secrets, pepper } = wordsOf(readKeyFile(path));
  const draft = `${path}.new`;
  const text = `${secrets[0] ?? ""} ${PEPPER}${pepper.toString("hex")}\n`;
  writeFileSync(draft, text, { mode: 0o600, flush: true });
  renameSync(draft, path);
}

const PEPPER = "pepper:";

interface Words {
  /** The first seals. */
  readonly secrets: readonly string[];
  readonly pepper: Buffer;
}

/** Text without a pepper is one secret, whatever is in it: as it was before there was rotation. */
function wordsOf(text: string): Words {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const pepper = words.find((word) => word.startsWith(PEPPER));
  if (pepper === undefined) return { secrets: [text], pepper: derive(text, "api-keys") };
  return {
    secrets: words.filter((word) => word !== pepper),
    pepper: Buffer.from(pepper.slice(PEPPER.length), "hex"),
  };
}

const derive = (secret: string | Buffer, use: string): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, "turnpike", use, 32));

function readKeyFile(path: string): string {
  if (!existsSync(path)) {
    // Where the data lies in Postgres, nobody else has made the folder.
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // `wx`: when two processes start at once, the second fails here and reads the first one's file.
    try {
      writeFileSync(path, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  chmodSync(path, 0o600);
  const secret = readFileSync(path, "utf8").trim();
  if (secret.length < MIN_SECRET_LENGTH) throw new Error(`The key file ${path} is damaged.`);
  return secret;
}

function masterKeyOf(text: string): MasterKey {
  const { secrets, pepper } = wordsOf(text);
  const sealKeys = secrets.map((secret) => derive(secret, "seal"));
  const [sealKey] = sealKeys;
  if (sealKey === undefined) throw new Error("The master key is empty.");
  return {
    id: `master_${derive(secrets[0] ?? "", "id")
      .toString("hex")
      .slice(0, 16)}`,
    keyPepper: pepper,
    subjectKey: derive(pepper, "subjects"),
    seal(plain, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", sealKey, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, context) {
      for (const key of sealKeys.slice(0, -1)) {
        const plain = tryOpen(key, sealed, context);
        if (plain !== undefined) return plain;
      }
      return openWith(sealKeys.at(-1) ?? sealKey, sealed, context);
    },
  };
}

function tryOpen(key: Buffer, sealed: Buffer, context: string): Buffer | undefined {
  try {
    return openWith(key, sealed, context);
  } catch {
    return undefined;
  }
}

function openWith(key: Buffer, sealed: Buffer, context: string): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12), {
    authTagLength: 16,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(12, 28));
  return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
}
