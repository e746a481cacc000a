import { createHash } from "node:crypto";

/** A call id that Bedrock accepts, `[a-zA-Z0-9_.:-]{1,64}`; the hash keeps two rewritten ones apart. */
export function toolUseId(id: string): string {
  if (/^[a-zA-Z0-9_.:-]{1,64}$/.test(id)) return id;
  const hash = createHash("sha256").update(id).digest("hex").slice(0, 12);
  return `${id.replace(/[^a-zA-Z0-9_.:-]/g, "_").slice(0, 50)}_${hash}`;
}
