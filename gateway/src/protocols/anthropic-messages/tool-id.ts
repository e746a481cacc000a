/** FNV-1a, 32 bits. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  return (value >>> 0).toString(16);
}

/**
 * A call id that Anthropic accepts (`^[a-zA-Z0-9_-]+$`). Ids of other providers (`functions.run:0`) are
 * rewritten in the same way wherever they stand; the hash keeps two of them apart.
 */
export const providerToolId = (id: string): string =>
  /^[a-zA-Z0-9_-]+$/.test(id) ? id : `${id.replace(/[^a-zA-Z0-9_-]/g, "_")}_${hash(id)}`;
