import type { JsonObject } from "#lib/json.ts";

/** How pages end, in the words of all lists of the admin API. */
export const pageEnd = (cursor: string | null): JsonObject => ({
  has_more: cursor !== null,
  next_cursor: cursor,
});
