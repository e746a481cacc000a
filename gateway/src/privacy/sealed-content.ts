import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  constants,
  type KeyObject,
} from "node:crypto";

import { asObject, asString } from "#lib/json.ts";

/**
 * Text for the holder of a private key alone. The file is one line of JSON and the ciphertext:
 *
 *     {"format":"turnpike-sealed-1","alg":…,"key":…,"nonce":…,"about":{…}}\n<AES-256-GCM text and tag>
 *
 * `alg` is `RSA-OAEP-256` (`key` is the content key, wrapped), or `X25519` or `ECDH-P256` (`key` is
 * an ephemeral public key, SPKI DER; the content key is HKDF-SHA256 of the shared secret, salt: that
 * key, info: the format's name). Binary members are base64; the whole first line is authenticated.
 */
const FORMAT = "turnpike-sealed-1";

/** What a sealed text belongs to; written in clear beside it. */
export type About = Readonly<Record<string, string>>;

interface ContentKey {
  readonly alg: "RSA-OAEP-256" | "X25519" | "ECDH-P256";
  readonly key: Buffer;
  /** 32 bytes. */
  readonly secret: Buffer;
}

/** Reads a public key in PEM. Throws, in words, where it is none or of another kind. */
export function readSealingKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw new Error("publicKey is no public key in PEM form.");
  }
  if (/PRIVATE KEY/.test(pem))
    throw new Error("publicKey holds a private key. Keep that to yourself.");
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const isRsa = type === "rsa" && (details?.modulusLength ?? 0) >= 2048;
  const isCurve = type === "x25519" || (type === "ec" && details?.namedCurve === "prime256v1");
  if (isRsa || isCurve) return key;
  throw new Error("publicKey must be RSA of at least 2048 bits, X25519 or EC P-256.");
}

export function sealContent(key: KeyObject, plain: Buffer, about: About): Buffer {
  const { alg, key: wrapped, secret } = contentKeyFor(key);
  const nonce = randomBytes(12);
  const head = JSON.stringify({
    format: FORMAT,
    alg,
    key: wrapped.toString("base64"),
    nonce: nonce.toString("base64"),
    about,
  });
  const line = Buffer.from(`${head}\n`);
  const cipher = createCipheriv("aes-256-gcm", secret, nonce).setAAD(line);
  return Buffer.concat([line, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function contentKeyFor(key: KeyObject): ContentKey {
  if (key.asymmetricKeyType === "rsa") {
    const secret = randomBytes(32);
    return { alg: "RSA-OAEP-256", key: publicEncrypt(oaep(key), secret), secret };
  }
  const isX25519 = key.asymmetricKeyType === "x25519";
  const ephemeral = isX25519
    ? generateKeyPairSync("x25519")
    : generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const point = ephemeral.publicKey.export({ type: "spki", format: "der" });
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: key });
  return { alg: isX25519 ? "X25519" : "ECDH-P256", key: point, secret: derived(shared, point) };
}

const oaep = (key: KeyObject) => ({
  key,
  padding: constants.RSA_PKCS1_OAEP_PADDING,
  oaepHash: "sha256",
});

const derived = (shared: Buffer, salt: Buffer): Buffer =>
  Buffer.from(hkdfSync("sha256", shared, salt, FORMAT, 32));

const TAG_BYTES = 16;

/** Opens a sealed text with the private key in PEM. Throws where it does not fit or was changed. */
export function openSealedContent(
  sealed: Buffer,
  privatePem: string,
): { readonly about: About; readonly plain: Buffer } {
  const end = sealed.indexOf(10) + 1;
  const head = asObject(JSON.parse(sealed.subarray(0, end).toString()));
  if (head["format"] !== FORMAT) throw new Error(`This is no ${FORMAT} text.`);
  const secret = contentKeyOf(head, createPrivateKey(privatePem));
  const nonce = binary(head["nonce"]);
  const decipher = createDecipheriv("aes-256-gcm", secret, nonce, { authTagLength: TAG_BYTES })
    .setAAD(sealed.subarray(0, end))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  const plain = [decipher.update(sealed.subarray(end, -TAG_BYTES)), decipher.final()];
  return { about: asObject(head["about"]) as About, plain: Buffer.concat(plain) };
}

function contentKeyOf(head: Readonly<Record<string, unknown>>, privateKey: KeyObject): Buffer {
  const key = binary(head["key"]);
  if (head["alg"] === "RSA-OAEP-256") return privateDecrypt(oaep(privateKey), key);
  const publicKey = createPublicKey({ key, type: "spki", format: "der" });
  return derived(diffieHellman({ privateKey, publicKey }), key);
}

const binary = (value: unknown): Buffer => Buffer.from(asString(value) ?? "", "base64");
