import type { CatalogModel } from "#catalog/types.ts";

/** A chat model of which nothing is known: everything is let through, and its server says what it cannot do. */
export const unknownModel = (
  id: string,
  { name, author }: { readonly name: string; readonly author: string },
): CatalogModel => ({
  id,
  name,
  author,
  kind: /embed/i.test(id) ? "embedding" : "chat",
  aliases: [],
  input: ["text", "image", "audio", "video", "file"],
  output: ["text"],
  capabilities: { tools: true },
});
