import type { SIWxPayload } from "@x402/extensions/sign-in-with-x";

/**
 * The text that a wallet signs (EIP-4361). The same as `formatSIWEMessage` of `@x402/extensions`, which
 * reads what it has written again by a grammar, and that takes as long as a commit. `undefined`: a field
 * would be more than one line, and could pass for others.
 */
export function signInMessage(proof: SIWxPayload): string | undefined {
  const { statement, uri, version, nonce, issuedAt, expirationTime, notBefore, requestId } = proof;
  const named = {
    URI: uri,
    Version: version,
    "Chain ID": proof.chainId.replace("eip155:", ""),
    Nonce: nonce,
    "Issued At": issuedAt,
    "Expiration Time": expirationTime,
    "Not Before": notBefore,
    "Request ID": requestId,
  };
  const fields = Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  const { resources = [] } = proof;
  const lines = [
    `${proof.domain} wants you to sign in with your Ethereum account:`,
    proof.address,
    "",
    ...(statement === undefined ? [""] : [statement, ""]),
    ...fields,
    ...(proof.resources === undefined ? [] : ["Resources:"]),
    ...resources.map((resource) => `- ${resource}`),
  ];
  return lines.some((line) => /[\r\n]/.test(line)) ? undefined : lines.join("\n");
}
