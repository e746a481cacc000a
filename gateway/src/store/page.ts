/** Where a page of a list begins, and how long it is. Lists are in the order of ids, the newest first. */
export interface PageOf {
  /** The last id of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Text in which `%`, `_` and the escape itself stand for themselves, for `LIKE … ESCAPE '!'`. */
export const escapeLike = (text: string): string =>
  text.replaceAll(/[!%_]/g, (found) => `!${found}`);
