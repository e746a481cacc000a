import { invalidRequest, type GatewayError } from "#canonical/failure.ts";

interface Asked {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

interface Page<Item> {
  readonly object: "list";
  readonly data: Item[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

/**
 * A page of a list by the ids of its rows, the newest first. A cursor is the last id that was shown:
 * what comes meanwhile shifts nothing. Throws `invalid_request` for a cursor that is none.
 */
export async function pageOf<Row, Item>(
  { limit, cursor }: Asked,
  list: {
    readonly rows: (page: {
      readonly after?: string;
      readonly limit: number;
    }) => Promise<readonly Row[]>;
    readonly idOf: (row: Row) => string;
    readonly view: (row: Row) => Item;
  },
): Promise<{ readonly body: Page<Item> }> {
  const after = cursor === undefined ? undefined : readCursor(cursor);
  // One more than asked for tells whether there are more.
  const rows = await list.rows({ limit: limit + 1, ...(after !== undefined && { after }) });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  const body = {
    object: "list" as const,
    data: shown.map(list.view),
    has_more: hasMore,
    next_cursor: hasMore ? cursorOf(list.idOf(last)) : null,
  };
  return { body };
}

const MARK = "c1:";

const cursorOf = (id: string): string => Buffer.from(MARK + id).toString("base64url");

function readCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  if (!text.startsWith(MARK) || !/^[\w-]{1,100}$/.test(text.slice(MARK.length))) {
    throw badCursor();
  }
  return text.slice(MARK.length);
}

/** For a cursor that is none, or another list's. */
const badCursor = (): GatewayError =>
  invalidRequest("cursor", "cursor must be `next_cursor` of the page before.");

/** The number in a cursor of a list by numbers: a cursor of another list is none of this one. */
export function seqOf(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw badCursor();
  return number;
}
