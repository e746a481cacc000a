import type { Detector, Match } from "#privacy/detect/match.ts";
import { numberRuns, type DigitGroup, type NumberRun } from "#privacy/detect/number-run.ts";

/** ITU-T E.164: at most 15 digits. */
const MAX_DIGITS = 15;

/**
 * Telephone numbers: E.164 with its plus or as 00…, North American ones, and national ones with a
 * trunk zero (most of Europe, Japan, Australia) or an area code in brackets.
 */
export const findPhones: Detector = (text) => {
  const found: Match[] = [];
  for (const run of numberRuns(text)) {
    for (let at = 0; at < run.groups.length; at++) {
      const lead = leadOf(run, at);
      const groups = run.groups.slice(at);
      const count = lead === undefined ? 0 : phoneGroups({ lead, groups });
      if (count === 0) continue;
      const first = groups[0] as DigitGroup;
      const last = groups[count - 1] as DigitGroup;
      found.push({ type: "phone", start: first.start - (lead ?? "").length, end: last.end });
      at += count - 1;
    }
  }
  return found;
};

/** The signs before a group that a number may begin with: it stands first, or after a space. */
function leadOf({ groups, lead }: NumberRun, at: number): string | undefined {
  if (at === 0) return lead;
  const gap = groups[at]?.gap ?? "";
  if (!gap.startsWith(" ")) return undefined;
  return gap.endsWith("(") ? "(" : "";
}

/** How many groups of a run, from its first, are a number; 0: it is none. */
function phoneGroups({ lead, groups }: NumberRun): number {
  const first = groups[0]?.digits ?? "";
  if (lead.startsWith("+")) return international(groups, { prefix: 0, least: 8 });
  if (/^00[1-9]/.test(first)) return international(groups, { prefix: 2, least: 9 });
  if (isDate(groups)) return 0;
  const american = northAmerican(groups);
  if (american > 0) return american;
  if (lead === "(" && groups[1]?.gap.startsWith(")") === true) return bracketed(groups);
  return first.startsWith("0") && !first.startsWith("00") ? national(groups) : 0;
}

function international(
  groups: readonly DigitGroup[],
  { prefix, least }: { readonly prefix: number; readonly least: number },
): number {
  if (prefix === 0 && groups[0]?.digits.startsWith("0") === true) return 0;
  return longest(groups, { least, most: MAX_DIGITS, prefix });
}

/** The most groups whose digits together are within bounds. */
function longest(
  groups: readonly DigitGroup[],
  bounds: { readonly least: number; readonly most: number; readonly prefix?: number },
): number {
  let digits = -(bounds.prefix ?? 0);
  let count = 0;
  for (const [at, group] of groups.entries()) {
    digits += group.digits.length;
    if (digits > bounds.most) break;
    if (digits >= bounds.least) count = at + 1;
  }
  return count;
}

/** `(212) 555-0123`, `1-212-555-0123`, `212.555.0123`; never three digits, three, four of a sum. */
function northAmerican(groups: readonly DigitGroup[]): number {
  const skip = groups[0]?.digits === "1" ? 1 : 0;
  const [area, exchange, line] = groups.slice(skip, skip + 3).map(({ digits }) => digits);
  const fits =
    area !== undefined &&
    exchange !== undefined &&
    /^[2-9]\d\d$/.test(area) &&
    /^[2-9]\d\d$/.test(exchange) &&
    /^\d{4}$/.test(line ?? "");
  return fits ? skip + 3 : 0;
}

/** `(11) 91234-5678`, `(030) 1234567`. */
function bracketed(groups: readonly DigitGroup[]): number {
  const area = groups[0]?.digits.length ?? 0;
  return area >= 2 && area <= 5 ? longest(groups, { least: 8, most: 12 }) : 0;
}

const MOBILE = /^(?:07\d{9}|0[67]\d{8}|01[567]\d{8,9})$/;

/** With a trunk zero: in groups, or a mobile number in one. */
function national(groups: readonly DigitGroup[]): number {
  const [first] = groups;
  if (first === undefined || !/^0[1-9]/.test(first.digits)) return 0;
  if (MOBILE.test(first.digits)) return 1;
  const dotted = groups.slice(1).some(({ gap }) => gap === ".");
  const pairs = groups.slice(0, 5).every(({ digits }) => digits.length === 2);
  if (groups.length < 2 || (dotted && !(pairs && groups.length >= 5))) return 0;
  return longest(groups, { least: 9, most: 12 });
}

/** `01.02.2026`, `01/02/26 10`. */
function isDate(groups: readonly DigitGroup[]): boolean {
  const [day, month, year] = groups;
  if (day === undefined || month === undefined || year === undefined) return false;
  if (month.gap !== year.gap || !"./-".includes(month.gap)) return false;
  const isYear = /^(?:19|20)\d\d$/.test(year.digits);
  return day.digits.length <= 2 && month.digits.length <= 2 && isYear;
}
