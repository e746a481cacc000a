import fc from "fast-check";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { describe, expect, test } from "vitest";

import { createSignatureCheck } from "#payments/wallet-signature.ts";

const wallet = privateKeyToAccount(generatePrivateKey());
const other = privateKeyToAccount(generatePrivateKey());
const address = wallet.address.toLowerCase();

describe("a wallet's signature", () => {
  test.for([true, false])("the first and all later ones; known keys kept: %s", async (isNative) => {
    const check = createSignatureCheck(isNative);
    for (const message of ["one", "two", "drei: ü", ""]) {
      const signature = await wallet.signMessage({ message });
      expect(await check({ message, signature, address })).toBe(true);
      const changed = { message: `${message}.`, signature, address };
      expect(await check(changed)).toBe(false);
      const foreign = await other.signMessage({ message });
      expect(await check({ message, signature: foreign, address })).toBe(false);
      expect(await check({ message, signature, address: other.address.toLowerCase() })).toBe(false);
    }
  });

  test.for(["", "0x", "0x00", `0x${"0".repeat(130)}`, `0x${"f".repeat(130)}`, "nonsense"])(
    "what is none is refused, the wallet known or not: %s",
    async (signature) => {
      const check = createSignatureCheck();
      expect(await check({ message: "one", signature, address })).toBe(false);
      const good = await wallet.signMessage({ message: "one" });
      expect(await check({ message: "one", signature: good, address })).toBe(true);
      expect(await check({ message: "one", signature, address })).toBe(false);
    },
  );

  test("a signature with any byte of r or s changed is none", async () => {
    const check = createSignatureCheck();
    const message = "pay";
    const signature = await wallet.signMessage({ message });
    expect(await check({ message, signature, address })).toBe(true);
    const bytes = Buffer.from(signature.slice(2), "hex");
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 63 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] ?? 0) ^ by;
          const tried = `0x${changed.toString("hex")}`;
          expect(await check({ message, signature: tried, address })).toBe(false);
        },
      ),
    );
  });
});
