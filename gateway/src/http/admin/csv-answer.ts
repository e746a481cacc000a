import { z } from "zod";

/** A CSV is sent piece by piece; its body is no JSON. */
export const csv = {
  produces: "text/csv; charset=utf-8",
  response: z.unknown(),
} as const;

/** A file of lines, to be saved under a name. */
export const csvAnswer = (name: string, lines: AsyncIterable<string>) => ({
  body: null,
  lines,
  headers: { "content-disposition": `attachment; filename="${name}.csv"` },
});
