import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import { isUnique } from "#store/store-error.ts";

/** For what is not there, whatever the reason. */
export const notFound = (what: string, field?: string): GatewayError =>
  new GatewayError({
    code: "not_found",
    ...(field !== undefined && { field }),
    message: `There is no such ${what}, or none that you may see.`,
  });

export const conflict = (field: string, message: string): GatewayError =>
  new GatewayError({ code: "conflict", field, message });

/** A change that may name the version that it was decided on; absent: whichever there is. */
export interface Versioned {
  readonly expected?: number | undefined;
}

/** Throws `precondition_failed` where the row is not as the caller read it. */
export function checkVersion(
  row: { readonly version: number },
  expected: Versioned["expected"],
): void {
  if (expected === undefined || row.version === expected) return;
  throw new GatewayError({
    code: "precondition_failed",
    field: "If-Match",
    message: "It was changed since you read it. Read it again and decide anew.",
  });
}

/** The row, of which `not_found` is said where there is none. */
export function found<Row>(row: Row | undefined, what: string, field?: string): Row {
  if (row === undefined) throw notFound(what, field);
  return row;
}

/** Throws `invalid_request` where a time is over already. */
export function checkFuture(field: string, time: number | null | undefined, now: number): void {
  if (time === null || time === undefined || time > now) return;
  throw invalidRequest(field, `${field} must be in the future.`);
}

/** A name that is taken: says so of its field instead of failing. */
export async function uniquely<Result>(
  field: string,
  taken: string,
  write: Promise<Result>,
): Promise<Result> {
  try {
    return await write;
  } catch (error) {
    if (isUnique(error)) throw conflict(field, taken);
    throw error;
  }
}

/** Milliseconds as the API writes times. */
export const timeText = (time: number): string => new Date(time).toISOString();
export const timeOrNull = (time: number | null): string | null =>
  time === null ? null : timeText(time);

/** Members that are `undefined` left out: such a member would set a column to nothing. */
export const definedOnly = <Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
  };
