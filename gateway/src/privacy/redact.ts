import { findCards } from "#privacy/detect/card.ts";
import { findEmails } from "#privacy/detect/email.ts";
import { findIbans } from "#privacy/detect/iban.ts";
import { findIps } from "#privacy/detect/ip.ts";
import {
  PERSONAL_DATA,
  type Detector,
  type Match,
  type PersonalData,
} from "#privacy/detect/match.ts";
import { findPhones } from "#privacy/detect/phone.ts";
import { findSecrets } from "#privacy/detect/secret.ts";

const DETECTORS: Readonly<Record<PersonalData, Detector>> = {
  email: findEmails,
  phone: findPhones,
  iban: findIbans,
  card: findCards,
  ip: findIps,
  secret: findSecrets,
};

/** Where two overlap, the one that comes first here counts: a card number may look like a telephone's. */
const RANK: readonly PersonalData[] = ["secret", "email", "iban", "card", "ip", "phone"];

/**
 * Where personal data and secrets stand in a text, in order, none overlapping. Best effort: it knows
 * forms, not meanings; names and addresses have none. Linear in the text's length.
 */
export function findPersonalData(
  text: string,
  types: readonly PersonalData[] = PERSONAL_DATA,
): readonly Match[] {
  const all = RANK.filter((type) => types.includes(type)).flatMap((type) => DETECTORS[type](text));
  if (all.length < 2) return all;
  const taken = all
    .map((match, rank) => ({ match, rank }))
    .toSorted((a, b) => a.match.start - b.match.start || a.rank - b.rank);
  return joined(taken.map(({ match }) => match));
}

/** Overlapping ones as one: of the higher rank, as far as both go. */
function joined(matches: readonly Match[]): readonly Match[] {
  const found: Match[] = [];
  for (const match of matches) {
    const last = found.at(-1);
    if (last === undefined || match.start >= last.end) {
      found.push(match);
      continue;
    }
    const type = RANK.indexOf(match.type) < RANK.indexOf(last.type) ? match.type : last.type;
    found[found.length - 1] = { type, start: last.start, end: Math.max(last.end, match.end) };
  }
  return found;
}

export const placeholderOf = ({ type }: Match): string => `[${type}]`;

/** The text with a placeholder such as `[email]` for each; the same text where there is nothing. */
export function redactText(text: string, types?: readonly PersonalData[]): string {
  return replaceMatches(text, findPersonalData(text, types));
}

export function replaceMatches(text: string, matches: readonly Match[]): string {
  if (matches.length === 0) return text;
  let out = "";
  let at = 0;
  for (const match of matches) {
    out += text.slice(at, match.start) + placeholderOf(match);
    at = match.end;
  }
  return out + text.slice(at);
}
