import type { Message } from "#canonical/message.ts";
import { foreignSignature } from "#canonical/signature.ts";

/** Reports the tokens of texts, which Gemini alone gives and takes. */
export function reportTextSignatures(
  messages: readonly Message[],
  reportLoss: (field: string, reason: string) => void,
): void {
  for (const part of messages.flatMap(({ content }) => content)) {
    if (part.type !== "text" || part.signature === undefined) continue;
    reportLoss("messages.reasoning", foreignSignature(part.signature));
  }
}
