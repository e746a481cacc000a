import type { AnsweredBy } from "#store/request-records.ts";

const OWN = " (own key)";
const MAX_MODEL = 200;

/**
 * What a charge's transfer says of its request. It is kept in the books themselves, for an invoice must
 * be whole when the request's record is long deleted.
 */
export const chargeMemo = (model: string, isOwnCredential: boolean): string =>
  model.slice(0, MAX_MODEL).toWellFormed().replaceAll("\0", "") + (isOwnCredential ? OWN : "");

/** The same read; `undefined`: it was booked before charges had one. */
export function readChargeMemo(memo: string | null | undefined): AnsweredBy | undefined {
  if (memo === null || memo === undefined) return undefined;
  const isOwnCredential = memo.endsWith(OWN);
  return { model: isOwnCredential ? memo.slice(0, -OWN.length) : memo, isOwnCredential };
}
