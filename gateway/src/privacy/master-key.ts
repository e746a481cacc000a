import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const MIN_SECRET_LENGTH = 32;

/** Keys that everything secret at rest is protected by, derived from one master secret. */
export interface MasterKey {
  /** Pepper of the HMACs of API keys. */
  readonly keyPepper: Buffer;
  /** Encrypts with AES-256-GCM; `context` is authenticated, not stored. */
  seal(plain: Buffer, context: string): Buffer;
  /** Throws when the text was sealed by another master key, for another context, or was changed. */
  open(sealed: Buffer, context: string): Buffer;
}

/**
 * Takes the master secret from `TURNPIKE_MASTER_KEY` (at least 32 characters) or from the key file
 * in the data folder, which is made on first use with mode 0600.
 */
export function loadMasterKey(folder: string, fromEnvironment: string | undefined): MasterKey {
  if (fromEnvironment === undefined || fromEnvironment === "") {
    return deriveKeys(readKeyFile(join(folder, "master.key")));
  }
  if (fromEnvironment.length < MIN_SECRET_LENGTH) {
    throw new Error(`TURNPIKE_MASTER_KEY must have at least ${MIN_SECRET_LENGTH} characters.`);
  }
  return deriveKeys(fromEnvironment);
}

function readKeyFile(path: string): string {
  if (!existsSync(path)) {
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

function deriveKeys(secret: string): MasterKey {
  const derive = (use: string): Buffer =>
    Buffer.from(hkdfSync("sha256", secret, "turnpike", use, 32));
  const sealKey = derive("seal");
  return {
    keyPepper: derive("api-keys"),
    seal(plain, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", sealKey, nonce).setAAD(Buffer.from(context));
      const text = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]);
    },
    open(sealed, context) {
      const decipher = createDecipheriv("aes-256-gcm", sealKey, sealed.subarray(0, 12))
        .setAAD(Buffer.from(context))
        .setAuthTag(sealed.subarray(12, 28));
      return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
    },
  };
}
