import { z } from "zod";

const MAX_ID = 64;
const MAX_CURSOR = 200;
const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;
const PAGE_BOUND = `must be a whole number from 1 to ${MAX_PAGE}`;

/** An id by its prefix: `org_…`. Ids that do not exist are 404, texts that cannot be ids are 400. */
export const idSchema = (prefix: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}[A-Za-z0-9_-]{1,${MAX_ID}}$`), `must be an id such as ${prefix}…`)
    .describe(`Id, ${prefix}…`);

/** Times are ISO 8601 with a zone; answers have milliseconds and `Z`. */
export const timeSchema = z.iso.datetime({
  offset: true,
  error: "must be a time such as 2027-01-31T00:00:00Z",
});

/** Money in answers: decimal text, exact to the nano-dollar. */
export const usdTextSchema = z
  .string()
  .regex(/^-?\d+(?:\.\d{1,9})?$/)
  .describe('USD as decimal text, exact: "12.000000001".');

/** What every list takes. Query texts are converted. */
export const pageQuery = {
  limit: z.coerce
    .number(PAGE_BOUND)
    .int(PAGE_BOUND)
    .min(1, PAGE_BOUND)
    .max(MAX_PAGE, PAGE_BOUND)
    .default(DEFAULT_PAGE)
    .describe("Objects a page."),
  cursor: z
    .string()
    .max(MAX_CURSOR)
    .optional()
    .describe("`next_cursor` of the page before; absent: the first page."),
};

/** How a page ends. */
export const pageEnd = {
  has_more: z.boolean(),
  next_cursor: z.string().nullable().describe("For the next page; null: this is the last."),
};

/** A page of a list, the newest first; objects that come meanwhile shift nothing. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    object: z.literal("list"),
    data: z.array(item),
    ...pageEnd,
  });

/** An error, as RFC 9457 has it. */
export const problemSchema = z.strictObject({
  type: z.string().describe("A link to what the code means."),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().describe("What is wrong, and what to do."),
  instance: z.string().describe("The path that was asked for."),
  code: z.string().describe("For programs."),
  field: z.string().optional().describe("Which part of the request is at fault."),
  request_id: z.string(),
});

/** What removing or stopping something answers. */
export const deletedSchema = z.strictObject({ id: z.string(), deleted: z.boolean() });

/** Where something lies. */
export const createdAt = timeSchema.describe("When it was made.");
