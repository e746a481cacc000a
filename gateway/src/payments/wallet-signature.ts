import { createPublicKey, getHashes, verify, type KeyObject } from "node:crypto";

import { hashMessage, recoverPublicKey, type Hex } from "viem";
import { publicKeyToAddress } from "viem/accounts";

/** Whether a wallet's own key has signed a message (EIP-191). */
export type SignatureCheck = (signed: SignedMessage) => Promise<boolean>;

export interface SignedMessage {
  readonly message: string;
  readonly signature: string;
  /** In lower case. */
  readonly address: string;
}

const DIGEST = "keccak-256";
const MOST_KEYS = 2_000;
/** r, s, and v, which says only which key it is. */
const SIGNATURE = /^0x[0-9a-f]{130}$/i;

/**
 * A wallet's key is found from its first signature, in 1.5 ms or more; that of wallets which come again
 * is known, and OpenSSL looks at a signature in a quarter of one. Node 24 and later know the digest.
 */
export function createSignatureCheck(isNative = getHashes().includes(DIGEST)): SignatureCheck {
  const keys = new Map<string, KeyObject>();
  return async ({ message, signature, address }) => {
    if (!SIGNATURE.test(signature)) return false;
    const known = keys.get(address);
    if (known !== undefined) {
      // The one that was used last goes last.
      keys.delete(address);
      keys.set(address, known);
      return isSignedBy(known, message, signature);
    }
    const publicKey = await recovered(message, signature);
    if (publicKey === undefined) return false;
    if (publicKeyToAddress(publicKey).toLowerCase() !== address) return false;
    if (!isNative) return true;
    const [oldest] = keys.size >= MOST_KEYS ? keys.keys() : [];
    if (oldest !== undefined) keys.delete(oldest);
    keys.set(address, keyOf(publicKey));
    return true;
  };
}

function isSignedBy(key: KeyObject, message: string, signature: string): boolean {
  const text = Buffer.from(message);
  const signed = Buffer.concat([
    Buffer.from(`\u0019Ethereum Signed Message:\n${text.length}`),
    text,
  ]);
  const rs = Buffer.from(signature.slice(2, 130), "hex");
  return verify(DIGEST, signed, { key, dsaEncoding: "ieee-p1363" }, rs);
}

async function recovered(message: string, signature: string): Promise<Hex | undefined> {
  try {
    return await recoverPublicKey({ hash: hashMessage(message), signature: signature as Hex });
  } catch {
    // Some numbers are no signature of anything.
    return undefined;
  }
}

/** From 0x04, x and y. */
function keyOf(publicKey: Hex): KeyObject {
  const point = Buffer.from(publicKey.slice(2), "hex");
  const part = (from: number): string => point.subarray(from, from + 32).toString("base64url");
  return createPublicKey({
    format: "jwk",
    key: { kty: "EC", crv: "secp256k1", x: part(1), y: part(33) },
  });
}
