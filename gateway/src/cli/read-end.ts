import { CliError } from "#cli/cli-io.ts";

const UNITS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** When something ends: `30d` from now, a date or a time; `null`: never. In Unix milliseconds. */
export function readEnd(text: string | undefined, now: number): number | null {
  if (text === undefined || text === "" || text === "never") return null;
  const [, count, unit = ""] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const time = count === undefined ? Date.parse(text) : now + Number(count) * (UNITS[unit] ?? 0);
  if (!Number.isFinite(time)) {
    throw new CliError(`"${text}" is no time: 12h, 30d, 2027-01-31 or never.`);
  }
  if (time <= now) throw new CliError(`"${text}" has passed already.`);
  return time;
}
