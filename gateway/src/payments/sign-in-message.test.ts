import {
  formatSIWEMessage,
  type CompleteSIWxInfo,
  type SIWxPayload,
} from "@x402/extensions/sign-in-with-x";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { expect, test } from "vitest";

import { signInMessage } from "#payments/sign-in-message.ts";

const { address } = privateKeyToAccount(generatePrivateKey());
const PROOF = {
  domain: "ai.example.com",
  address,
  uri: "https://ai.example.com/v1/chat/completions",
  version: "1",
  chainId: "eip155:8453",
  type: "eip191",
  nonce: "0123456789abcdef",
  issuedAt: "2026-11-30T10:00:00.000Z",
  signature: "0x",
} as const;

test.for([
  ["least", {}],
  ["as it is asked for", { statement: "Prove it.", expirationTime: "2026-11-30T10:05:00Z" }],
  [
    "all there can be",
    {
      statement: "Prove it.",
      expirationTime: "2026-11-30T10:05:00.000Z",
      notBefore: "2026-11-30T09:00:00.000Z",
      requestId: "one",
      resources: ["https://ai.example.com/a", "https://ai.example.com/b"],
    },
  ],
] satisfies readonly (readonly [string, Partial<SIWxPayload>])[])(
  "is what the official package makes of it: %s",
  ([, more]) => {
    const proof: SIWxPayload = { ...PROOF, ...more };
    const official = formatSIWEMessage(proof as unknown as CompleteSIWxInfo, address);
    expect(signInMessage(proof)).toBe(official);
  },
);

test.for(["domain", "statement", "uri", "nonce", "issuedAt", "requestId"])(
  "%s of two lines could pass for another field: none",
  (field) => {
    expect(signInMessage({ ...PROOF, [field]: "one\nNonce: 12345678" })).toBeUndefined();
  },
);
